/** Drills: what may be broken on purpose, what is being broken, and what came of it. */

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { DrillRunView, DrillView } from "../api.ts";
import { ago, button, empty, moment, panel, span } from "./common-views.ts";
import { el } from "./dom.ts";
import { stateIcon } from "./icons.ts";
import { language, t } from "./preferences.ts";
import { get } from "./requests.ts";
import { hashOf } from "./routes.ts";
import { dialog, link, mayOperate, serverNow, told } from "./store.ts";

interface Catalogue {
  readonly drills: readonly DrillView[];
}

interface History {
  readonly runs: readonly DrillRunView[];
}

const VERDICT_STATES = {
  passed: "UP",
  deviated: "DEGRADED",
  aborted: "DRAINING",
  error: "DOWN",
} as const;

function useDrills(): {
  /** Absent until the node has looked at itself. */
  readonly drills: readonly DrillView[] | undefined;
  readonly runs: readonly DrillRunView[];
} {
  const [drills, setDrills] = useState<readonly DrillView[] | undefined>(undefined);
  const [runs, setRuns] = useState<readonly DrillRunView[]>([]);
  const view = told("drills");
  useEffect(() => {
    get<Catalogue>("/api/v1/drills").then(
      ({ drills: all }) => setDrills(all),
      () => setDrills([]),
    );
    get<History>("/api/v1/drills/history").then(
      ({ runs: all }) => setRuns(all),
      () => undefined,
    );
  }, [language.value, view?.running?.id, view?.recent[0]?.id]);
  const known = new Map<string, DrillRunView>();
  for (const run of [
    ...(view?.running === undefined ? [] : [view.running]),
    ...(view?.recent ?? []),
    ...runs,
  ]) {
    if (!known.has(run.id)) known.set(run.id, run);
  }
  return { drills, runs: [...known.values()] };
}

export function DrillsPage(): VNode {
  const { drills, runs } = useDrills();
  const running = told("drills")?.running;
  return el(
    "div",
    { class: "stack" },
    el("h1", null, t("nav.drills")),
    running === undefined ? null : el("div", { class: "panel" }, runLine(running, true)),
    panel(
      t("drill.history"),
      { id: "history" },
      runs.length === 0
        ? empty(t("drill.no-history"))
        : el(
            "ul",
            { class: "runs" },
            runs.map((run) => runLine(run, false)),
          ),
    ),
    panel(
      t("drill.catalogue"),
      { id: "catalogue" },
      drills === undefined || drills.length === 0
        ? empty(t(drills === undefined ? "drill.looking" : "drill.none"))
        : el(
            "ul",
            { class: "drills" },
            drills.map(({ name, title, refused }) =>
              el(
                "li",
                { key: name },
                el("a", { href: hashOf("drill", name) }, name),
                el("span", { class: "what" }, title),
                refused === undefined
                  ? null
                  : el("span", { class: "under" }, t("drill.refused", { reason: refused })),
              ),
            ),
          ),
    ),
  );
}

export function DrillPage({ name }: { readonly name: string }): VNode {
  const { drills, runs } = useDrills();
  const drill = drills?.find((one) => one.name === name);
  const own = runs.filter((run) => run.name === name || run.id === name);
  const isLive = link.value.phase === "live";
  return el(
    "div",
    { class: "stack" },
    el(
      "header",
      { class: "subject-head" },
      el("p", { class: "crumbs" }, el("a", { href: hashOf("drills") }, t("nav.drills"))),
      el("h1", null, name),
      drill === undefined ? null : el("p", { class: "lead" }, drill.title),
    ),
    drill === undefined
      ? null
      : el(
          "dl",
          { class: "facts" },
          fact(t("drill.faults"), drill.faults.join(", ")),
          fact(t("drill.radius"), drill.radius),
        ),
    drill?.refused === undefined
      ? null
      : el("p", { class: "trouble" }, t("drill.refused", { reason: drill.refused })),
    mayOperate.value ? runButtons(name, isLive) : null,
    panel(
      t("drill.history"),
      { id: "history" },
      own.length === 0
        ? empty(t("drill.no-history"))
        : el(
            "ul",
            { class: "runs" },
            own.map((run) => runLine(run, run.endMs === undefined)),
          ),
    ),
  );
}

function runButtons(subject: string, isLive: boolean): VNode {
  const disabled = !isLive || told("drills")?.running !== undefined;
  const run = (label: string, where: { readonly node?: string }): VNode =>
    button(
      label,
      () =>
        (dialog.value = { kind: "action", request: { action: "drill-run", subject, ...where } }),
      { disabled },
    );
  return el(
    "div",
    { class: "actions" },
    run(t("action.drill-run"), {}),
    others().map((node) => run(t("action.drill-run-on", { node }), { node })),
  );
}

/** Nodes that can be asked: those whose news are fresh. */
function others(): readonly string[] {
  const own = told("node");
  const nodes = told("nodes") ?? [];
  return nodes.flatMap(({ name, state }) => (name === own || state === "UNKNOWN" ? [] : [name]));
}

function fact(name: string, value: string): VNode {
  return el("div", { key: name }, el("dt", null, name), el("dd", null, value));
}

function runLine(run: DrillRunView, mayStop: boolean): VNode {
  const { id, name, node, startMs, endMs, verdict, reason, outageMs, failedRequests } = run;
  const figures = [
    outageMs === undefined ? "" : t("drill.outage", { span: span(outageMs) }),
    failedRequests === undefined ? "" : t("drill.failed", { count: failedRequests }),
    t("drill.took", { span: span((endMs ?? serverNow.value) - startMs) }),
  ].filter((part) => part !== "");
  return el(
    "li",
    { key: id, class: "run" },
    stateIcon(verdict === undefined ? "GOING-DOWN" : VERDICT_STATES[verdict], 18),
    el(
      "div",
      null,
      el("a", { href: hashOf("drill", name) }, name),
      node === undefined ? " " : ` ${t("drill.on", { node })} `,
      el("strong", null, verdict === undefined ? t("drill.running") : t(`drill.${verdict}`)),
      el("span", { class: "under" }, reason),
      el(
        "span",
        { class: "under" },
        moment(startMs),
        ` · ${ago(startMs)} · ${figures.join(" · ")}`,
      ),
    ),
    mayStop && verdict === undefined && mayOperate.value
      ? button(
          t("action.drill-stop"),
          () =>
            (dialog.value = { kind: "action", request: { action: "drill-stop", subject: name } }),
          { class: "danger" },
        )
      : null,
  );
}
