/** Nodes of the topology as a table: the same for those who cannot see the picture, and for a thousand. */

import { useState } from "preact/hooks";
import type { VNode } from "preact";
import type { TopologyNode } from "../api.ts";
import { ago, linkOfNode } from "./common-views.ts";
import { el } from "./dom.ts";
import { stateMark } from "./icons.ts";
import { t } from "./preferences.ts";
import { rankOf } from "./states.ts";

/** Rows before one asks for more. */
const PAGE = 50;

export interface NodesTableProps {
  readonly nodes: readonly TopologyNode[];
  readonly showLayer: boolean;
}

export function NodesTable({ nodes, showLayer }: NodesTableProps): VNode {
  const [pages, setPages] = useState(1);
  const [wanted, setWanted] = useState("");
  const found = nodes.filter((node) => matches(node, wanted)).toSorted(worstFirst);
  const rows = found.slice(0, pages * PAGE);
  return el(
    "div",
    { class: "table-frame" },
    nodes.length > 12
      ? el(
          "label",
          { class: "filter" },
          el("span", { class: "visually-hidden" }, t("table.filter")),
          el("input", {
            type: "search",
            value: wanted,
            placeholder: t("table.filter"),
            onInput: (event: Event) => setWanted((event.target as HTMLInputElement).value),
          }),
          el(
            "span",
            { class: "count", role: "status" },
            t("table.count", { shown: rows.length, count: found.length }),
          ),
        )
      : null,
    el(
      "table",
      null,
      el(
        "thead",
        null,
        el(
          "tr",
          null,
          el("th", { scope: "col" }, t("column.state")),
          showLayer ? el("th", { scope: "col" }, t("column.layer")) : null,
          el("th", { scope: "col" }, t("column.name")),
          el("th", { scope: "col", class: "wide" }, t("column.since")),
          el("th", { scope: "col" }, t("column.reason")),
          el("th", { scope: "col", class: "wide number" }, t("fact.weight")),
          el("th", { scope: "col", class: "wide number" }, t("fact.active")),
        ),
      ),
      el(
        "tbody",
        null,
        rows.map((node) => row(node, showLayer)),
      ),
    ),
    rows.length < found.length
      ? el(
          "button",
          { type: "button", class: "button", onClick: () => setPages(pages + 1) },
          t("table.more"),
        )
      : null,
  );
}

function row(node: TopologyNode, showLayer: boolean): VNode {
  const { id, state, layer, name, sinceMs, reason, facts } = node;
  const endpoint = facts["endpoint"];
  return el(
    "tr",
    { key: id },
    el("td", null, stateMark(state)),
    showLayer ? el("td", { class: "muted" }, t(`layer.${layer}`)) : null,
    el(
      "td",
      null,
      el("a", { href: linkOfNode(node) }, layer === "client" ? t("topology.clients") : name),
      endpoint === undefined ? null : el("span", { class: "under" }, String(endpoint)),
    ),
    el("td", { class: "wide muted" }, sinceMs === undefined ? "" : ago(sinceMs)),
    el("td", { class: "reason" }, reason),
    el("td", { class: "wide number" }, fact(facts["weight"])),
    el("td", { class: "wide number" }, fact(facts["active"])),
  );
}

function fact(value: string | number | boolean | undefined): string {
  return value === undefined ? "" : String(value);
}

function matches({ name, id, state, reason, facts }: TopologyNode, wanted: string): boolean {
  const text =
    `${name} ${id} ${state} ${t(`state.${state}`)} ${reason} ${String(facts["endpoint"] ?? "")}`.toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/u)
    .every((word) => text.includes(word));
}

function worstFirst(a: TopologyNode, b: TopologyNode): number {
  return rankOf(b.state) - rankOf(a.state) || a.id.localeCompare(b.id, "en", { numeric: true });
}
