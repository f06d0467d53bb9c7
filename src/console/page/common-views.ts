/** Small parts that several pages use. */

import type { ComponentChildren, VNode } from "preact";
import type { Level, RecordView, TopologyNode } from "../api.ts";
import { el, names } from "./dom.ts";
import { formatFull, formatMoment, formatNumber, formatSpan } from "./format.ts";
import { language, sayKind, t } from "./preferences.ts";
import { hashOf } from "./routes.ts";
import { nodesById, serverNow, told } from "./store.ts";
import type { TextKey } from "./texts.ts";

export function panel(
  title: string,
  attributes: { readonly id: string; readonly class?: string },
  ...children: ComponentChildren[]
): VNode {
  const { id } = attributes;
  return el(
    "section",
    { class: names("panel", attributes.class), id, "aria-labelledby": `${id}-title` },
    el("h2", { id: `${id}-title`, class: "panel-title" }, title),
    ...children,
  );
}

export function empty(text: string): VNode {
  return el("p", { class: "empty" }, text);
}

/** A moment, with the whole date for those who point at it. */
export function moment(atMs: number): VNode {
  const lang = language.value;
  return el(
    "time",
    { dateTime: new Date(atMs).toISOString(), title: formatFull(lang, atMs) },
    formatMoment(lang, atMs, serverNow.value),
  );
}

export function ago(atMs: number): string {
  const ms = serverNow.value - atMs;
  return ms < 1000 ? t("time.now") : t("time.ago", { span: formatSpan(language.value, ms) });
}

export function span(ms: number): string {
  return formatSpan(language.value, ms);
}

export function number(value: number): string {
  return formatNumber(language.value, value);
}

const LEVEL_WORDS: Readonly<Record<Level, TextKey>> = {
  info: "level.info",
  warning: "level.warning",
  error: "level.error",
};
const LEVEL_SHAPES: Readonly<Record<Level, string>> = {
  info: "M6 2.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 1 1 0-7z",
  warning: "M6 1l5.5 10h-11z",
  error: "M1 1h10v10h-10z",
};

export function levelMark(level: Level): VNode {
  return el(
    "svg",
    {
      class: `level level-${level}`,
      viewBox: "0 0 12 12",
      width: 12,
      height: 12,
      role: "img",
      "aria-label": t(LEVEL_WORDS[level]),
    },
    el("path", { d: LEVEL_SHAPES[level] }),
  );
}

/** Where a subject of a record is shown, if it is one of the topology's or a drill. */
export function linkOfRecord({ kind, subject }: RecordView): string | undefined {
  if (subject === "") return undefined;
  return kind.startsWith("drill-") ? hashOf("drill", subject) : linkOfSubject(subject);
}

export function linkOfSubject(subject: string): string | undefined {
  for (const layer of ["address", "pool", "server", "director"] as const) {
    if (nodesById.value.has(`${layer} ${subject}`)) return hashOf(layer, subject);
  }
  if (told("services")?.some(({ name }) => name === subject)) return hashOf("service", subject);
  return undefined;
}

export function linkOfNode({ layer, id }: Pick<TopologyNode, "layer" | "id">): string {
  return layer === "client" ? hashOf("overview") : hashOf(layer, subjectOf(id));
}

/** `server web/web1` -> `web/web1`. */
export function subjectOf(id: string): string {
  const blank = id.indexOf(" ");
  return blank < 0 ? id : id.slice(blank + 1);
}

export function recordRow(record: RecordView, lookAt?: (atMs: number) => void): VNode {
  const { level, wallMs, subject, kind, reason, node, seq, source } = record;
  const href = linkOfRecord(record);
  const time = moment(wallMs);
  return el(
    "li",
    { class: "record", key: `${node}:${seq}` },
    levelMark(level),
    lookAt === undefined
      ? el("span", { class: "when" }, time)
      : el(
          "button",
          { class: "when plain", title: t("timeline.look"), onClick: () => lookAt(wallMs) },
          time,
        ),
    el(
      "span",
      { class: "what" },
      el("strong", null, href === undefined ? subject || node : el("a", { href }, subject)),
      " ",
      el("span", { class: "kind" }, sayKind(kind)),
      reason === "" ? null : el("span", { class: "reason" }, reason),
    ),
    el("span", { class: "who" }, source === "operator" ? `${node} · ${source}` : node),
  );
}

export function button(
  label: string,
  onClick: () => void,
  options: { readonly class?: string; readonly disabled?: boolean; readonly title?: string } = {},
): VNode {
  return el(
    "button",
    {
      type: "button",
      class: names("button", options.class),
      disabled: options.disabled === true,
      title: options.title,
      onClick,
    },
    label,
  );
}
