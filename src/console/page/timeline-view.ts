/** Events on a line, and a cursor on it: everything above shows the state of that moment. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import type { RecordPage, RecordView, StateAt } from "../api.ts";
import { button, moment } from "./common-views.ts";
import { el } from "./dom.ts";
import { formatMoment } from "./format.ts";
import { lineIcon } from "./icons.ts";
import { language, t } from "./preferences.ts";
import { get } from "./requests.ts";
import { cursor, serverNow, told } from "./store.ts";

const WINDOWS_MS = [15 * 60_000, 3_600_000, 6 * 3_600_000, 24 * 3_600_000] as const;
/** A finger on the slider is not a question for each step. */
const SETTLE_MS = 150;
const MOST_TICKS = 500;
const STEPS = 1000;

let settling: ReturnType<typeof setTimeout> | undefined;

/** Undefined: back to now. */
export function lookAt(atMs: number | undefined): void {
  clearTimeout(settling);
  if (atMs === undefined) {
    cursor.value = undefined;
    return;
  }
  const kept = cursor.value?.state;
  cursor.value = kept === undefined ? { atMs } : { atMs, state: kept };
  settling = setTimeout(() => {
    get<StateAt>("/api/v1/state", { at: Math.round(atMs) }).then(
      (state) => {
        if (cursor.value?.atMs === atMs) cursor.value = { atMs, state };
      },
      (error: Error) => {
        if (cursor.value?.atMs === atMs) cursor.value = { atMs, trouble: error.message };
      },
    );
  }, SETTLE_MS);
}

export function Timeline(): VNode {
  const [windowMs, setWindowMs] = useState<number>(WINDOWS_MS[1]);
  const older = useOlderRecords(windowMs);
  const live = told("records") ?? [];
  const now = serverNow.value;
  // While one looks back the line stands still under the finger.
  const frozen = useRef(now);
  if (cursor.value === undefined) frozen.current = now;
  const untilMs = frozen.current;
  const sinceMs = untilMs - windowMs;
  const records = merged(live, older, sinceMs);
  const atMs = cursor.value?.atMs ?? untilMs;
  const value = Math.round(((atMs - sinceMs) / windowMs) * STEPS);
  return el(
    "section",
    { class: "panel timeline", id: "timeline", "aria-labelledby": "timeline-title" },
    el(
      "div",
      { class: "panel-head" },
      el("h2", { class: "panel-title", id: "timeline-title" }, t("timeline.title")),
      el(
        "div",
        { class: "segmented", role: "group", "aria-label": t("timeline.window") },
        WINDOWS_MS.map((ms) =>
          el(
            "button",
            {
              type: "button",
              key: ms,
              "aria-pressed": String(ms === windowMs),
              onClick: () => setWindowMs(ms),
            },
            t(`window.${ms / 60_000}` as "window.15"),
          ),
        ),
      ),
    ),
    el(
      "div",
      { class: "track" },
      ticks(records, sinceMs, windowMs),
      el("input", {
        type: "range",
        min: 0,
        max: STEPS,
        value: Math.max(0, Math.min(STEPS, value)),
        "aria-label": t("timeline.cursor"),
        "aria-valuetext":
          cursor.value === undefined ? t("timeline.now") : formatMoment(language.value, atMs, now),
        onInput: (event: Event) => {
          const step = Number((event.target as HTMLInputElement).value);
          lookAt(step >= STEPS ? undefined : sinceMs + (step / STEPS) * windowMs);
        },
      }),
    ),
    steering(records, atMs, sinceMs),
    records.length < MOST_TICKS ? null : cutNote(records.at(-1)!.wallMs),
  );
}

/** An empty stretch of the line would look as if nothing had happened. */
function cutNote(oldestMs: number): VNode {
  const since = formatMoment(language.value, oldestMs, serverNow.value);
  return el("p", { class: "muted" }, t("timeline.cut", { count: MOST_TICKS, since }));
}

function ticks(records: readonly RecordView[], sinceMs: number, windowMs: number): VNode {
  return el(
    "svg",
    { class: "ticks", viewBox: "0 0 1000 22", preserveAspectRatio: "none", "aria-hidden": "true" },
    records.map(({ node, seq, wallMs, level }) => {
      const x = ((wallMs - sinceMs) / windowMs) * 1000;
      const top = level === "error" ? 0 : level === "warning" ? 5 : 12;
      return el("path", {
        key: `${node}:${seq}`,
        class: `tick level-${level}`,
        d: `M${x.toFixed(1)} ${top}V22`,
      });
    }),
  );
}

function steering(records: readonly RecordView[], atMs: number, sinceMs: number): VNode {
  const before = records.find(({ wallMs }) => wallMs < atMs - 1);
  const after = records.findLast(({ wallMs }) => wallMs > atMs + 1);
  const isPast = cursor.value !== undefined;
  return el(
    "div",
    { class: "steering" },
    el("span", { class: "muted" }, moment(sinceMs)),
    el(
      "div",
      { class: "steps" },
      el(
        "button",
        {
          type: "button",
          class: "button icon",
          "aria-label": t("timeline.earlier"),
          title: t("timeline.earlier"),
          disabled: before === undefined,
          onClick: () => lookAt(before?.wallMs),
        },
        lineIcon("left"),
      ),
      el("span", { class: "at" }, isPast ? moment(atMs) : t("timeline.now")),
      el(
        "button",
        {
          type: "button",
          class: "button icon",
          "aria-label": t("timeline.later"),
          title: t("timeline.later"),
          disabled: !isPast,
          onClick: () => lookAt(after?.wallMs),
        },
        lineIcon("right"),
      ),
      isPast ? button(t("timeline.back"), () => lookAt(undefined), { class: "quiet" }) : null,
    ),
    el("span", { class: "muted" }, t("timeline.now")),
  );
}

function merged(
  live: readonly RecordView[],
  older: readonly RecordView[],
  sinceMs: number,
): readonly RecordView[] {
  const all = new Map<string, RecordView>();
  for (const record of [...live, ...older]) {
    if (record.wallMs >= sinceMs) all.set(`${record.node}:${record.seq}`, record);
  }
  return [...all.values()].toSorted((a, b) => b.wallMs - a.wallMs).slice(0, MOST_TICKS);
}

/** The stream tells the latest only; the rest of the window is asked for once. */
function useOlderRecords(windowMs: number): readonly RecordView[] {
  const [records, setRecords] = useState<readonly RecordView[]>([]);
  useEffect(() => {
    let isWanted = true;
    get<RecordPage>("/api/v1/records", {
      since: Math.round(serverNow.value - windowMs),
      limit: MOST_TICKS,
    }).then(
      (page) => {
        if (isWanted) setRecords(page.records);
      },
      // Without them the line shows what the stream has told.
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, [windowMs]);
  return records;
}
