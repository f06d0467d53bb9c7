/** One address, director, pool, server or service: what it is, since when and why, what one can do, what it did. */

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ActionName, Layer, TopologyNode } from "../api.ts";
import { Chart } from "./chart.ts";
import { ago, button, empty, number, panel, span, subjectOf } from "./common-views.ts";
import { el, part } from "./dom.ts";
import { RecordList } from "./events-page.ts";
import { stateIcon, stateMark } from "./icons.ts";
import { MeasuredCharts, type Range, RANGES, rangeSwitch } from "./measured-charts.ts";
import { NodesTable } from "./nodes-table.ts";
import { t } from "./preferences.ts";
import { hashOf } from "./routes.ts";
import { toneOf } from "./states.ts";
import {
  cursor,
  dialog,
  link,
  mayOperate,
  nodesById,
  overview,
  shownTopology,
  told,
} from "./store.ts";
import type { TextKey } from "./texts.ts";
import { english } from "./texts-en.ts";
import type { TrafficHistory } from "./traffic-history.ts";

export interface SubjectPageProps {
  readonly layer: Exclude<Layer, "client">;
  readonly subject: string;
  readonly history: TrafficHistory;
}

export function SubjectPage({ layer, subject, history }: SubjectPageProps): VNode {
  const id = `${layer} ${subject}`;
  useEffect(() => {
    history.watch(id);
    return () => history.watch("");
  }, [id]);
  const node = nodesById.value.get(id);
  if (node === undefined) return missing(layer, subject);
  return el(
    "div",
    { class: "stack" },
    heading(node),
    mayOperate.value && cursor.value === undefined ? actions(node) : null,
    facts(node),
    layer === "address" ? holder(subject) : null,
    layer === "director" || layer === "address" ? null : part(Traffic, { key: id, id, history }),
    layer === "pool" ? members(id) : null,
    part(RecordList, {
      key: id,
      subject: recordsOf(layer, subject),
      title: t("subject.events"),
    }),
  );
}

/** What happened to a pool happened mostly to its servers. */
function recordsOf(layer: Layer, subject: string): string {
  if (layer === "director") return "";
  return layer === "pool" ? `${subject}/*` : subject;
}

function missing(layer: Layer, subject: string): VNode {
  return el(
    "div",
    { class: "stack" },
    el("h1", null, `${t(`layer.${layer}`)} ${subject}`),
    empty(told("node") === undefined ? t("link.connecting") : t("subject.missing")),
    el("p", null, el("a", { href: hashOf("overview") }, t("nav.overview"))),
  );
}

function heading({ id, layer, name, state, reason, sinceMs, ageMs, parent }: TopologyNode): VNode {
  return el(
    "header",
    { class: `subject-head tone-${toneOf(state)}` },
    el(
      "p",
      { class: "crumbs" },
      t(`layer.${layer}`),
      parent === undefined
        ? null
        : el(
            "span",
            null,
            " · ",
            el("a", { href: hashOf("pool", subjectOf(parent)) }, subjectOf(parent)),
          ),
    ),
    el(
      "h1",
      null,
      stateIcon(state, 28),
      el("span", null, layer === "server" ? subjectOf(id) : name),
      stateMark(state, 0),
    ),
    el("p", { class: "lead" }, reason),
    el(
      "p",
      { class: "muted" },
      sinceMs === undefined ? "" : t("time.since", { moment: ago(sinceMs) }),
      ageMs === undefined ? "" : ` · ${t("topology.age", { span: span(ageMs) })}`,
    ),
  );
}

const BY_LAYER: Readonly<Record<string, readonly ActionName[]>> = {
  address: ["handover"],
  server: ["drain", "maintenance", "ready", "weight"],
};

function actions(node: TopologyNode): VNode | null {
  const wanted = (BY_LAYER[node.layer] ?? []).filter((action) => makesSense(action, node));
  if (wanted.length === 0) return null;
  const isLive = link.value.phase === "live";
  return el(
    "div",
    { class: "actions", role: "group", "aria-label": t("actions.label") },
    wanted.map((action) =>
      button(
        t(`action.${action}`),
        () => (dialog.value = { kind: "action", request: { action, subject: subjectOf(node.id) } }),
        {
          disabled: !isLive,
          ...(isLive ? {} : { title: t("actions.offline") }),
        },
      ),
    ),
  );
}

function makesSense(action: ActionName, { state }: TopologyNode): boolean {
  if (action === "drain") return state !== "DRAINING" && state !== "MAINTENANCE";
  if (action === "maintenance") return state !== "MAINTENANCE";
  if (action === "ready") return state === "DRAINING" || state === "MAINTENANCE";
  return true;
}

function facts({ facts: known }: TopologyNode): VNode | null {
  const entries = Object.entries(known);
  if (entries.length === 0) return null;
  return el(
    "dl",
    { class: "facts" },
    entries.map(([key, value]) => {
      const name = `fact.${key}`;
      const word = Object.hasOwn(english, name) ? t(name as TextKey) : key;
      return el(
        "div",
        { key },
        el("dt", null, word),
        el("dd", null, typeof value === "number" ? number(value) : String(value)),
      );
    }),
  );
}

function holder(instance: string): VNode | null {
  const found = told("holders")?.find((one) => one.instance === instance);
  if (found === undefined) return null;
  const row = (key: TextKey, value: string): VNode =>
    el("div", { key }, el("dt", null, t(key)), el("dd", null, value));
  return el(
    "dl",
    { class: "facts" },
    row("fact.holder", found.holder ?? t("holder.nobody")),
    row("fact.standbys", found.standbys.join(", ") || t("holder.no-standby")),
    found.rivals.length === 0 ? null : row("fact.rivals", found.rivals.join(", ")),
  );
}

function members(pool: string): VNode {
  const servers = shownTopology.value.nodes.filter(({ parent }) => parent === pool);
  return panel(
    t("subject.servers", { count: servers.length }),
    { id: "members" },
    servers.length === 0
      ? empty(t("subject.no-servers"))
      : part(NodesTable, { nodes: servers, showLayer: false }),
  );
}

/** The last minutes as this page saw them, and what was measured before. */
function Traffic({
  id,
  history,
}: {
  readonly id: string;
  readonly history: TrafficHistory;
}): VNode {
  const [range, setRange] = useState<Range>("minutes");
  const subject = subjectOf(id);
  const of = id.startsWith("pool ") ? { pool: subject } : { server: subject };
  return panel(
    t("chart.title"),
    { id: "charts" },
    rangeSwitch(RANGES, range, setRange),
    range === "minutes" ? lastMinutes(id, history) : part(MeasuredCharts, { of, range }),
  );
}

function lastMinutes(id: string, history: TrafficHistory): VNode {
  // Reading it draws the charts again with each overview.
  void overview.value;
  const samples = history.of(id);
  const at = samples.map((sample) => sample.at);
  return el(
    "div",
    { class: "charts" },
    part(Chart, {
      title: t("chart.traffic"),
      unit: t("unit.per-second"),
      at,
      lines: [
        {
          label: t("chart.requests"),
          tone: "accent",
          values: samples.map(({ requests }) => requests),
        },
        { label: t("chart.errors"), tone: "bad", values: samples.map(({ errors }) => errors) },
      ],
    }),
    part(Chart, {
      title: t("chart.latency"),
      unit: "ms",
      at,
      lines: [
        {
          label: t("chart.first-byte"),
          tone: "drain",
          values: samples.map(({ latencyMs }) => latencyMs),
        },
      ],
    }),
  );
}
