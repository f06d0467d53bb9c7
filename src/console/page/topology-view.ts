/** The live picture: clients, addresses, directors, pools, servers, and what flows between them. */

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { VNode } from "preact";
import { collapse, type Shown } from "./collapse.ts";
import { linkOfNode, span } from "./common-views.ts";
import { el, names, part } from "./dom.ts";
import { formatShort } from "./format.ts";
import { stateIcon } from "./icons.ts";
import {
  fit,
  layOut,
  NARROW,
  textWidth,
  type Picture,
  type PlacedEdge,
  type PlacedNode,
} from "./layout.ts";
import { NodesTable } from "./nodes-table.ts";
import { language, t } from "./preferences.ts";
import { hashOf } from "./routes.ts";
import { countStates, toneOf } from "./states.ts";
import { cursor, link, shownTopology, told } from "./store.ts";

/** More moving lines than this are no longer calm. */
const MOST_MOVING = 32;

export function TopologyView(): VNode {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [asTable, setAsTable] = useState(false);
  useLayoutEffect(() => {
    const element = frame.current!;
    const measure = (): void => setWidth(Math.floor(element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const topology = shownTopology.value;
  const drawing = useMemo(() => collapse(topology), [topology]);
  const picture = useMemo(
    () => (width === 0 ? undefined : layOut(drawing, width)),
    [drawing, width],
  );
  return el(
    "section",
    {
      class: names("panel", "topology", cursor.value !== undefined && "past"),
      id: "topology",
      "aria-labelledby": "topology-title",
    },
    el(
      "div",
      { class: "panel-head" },
      el("h2", { id: "topology-title", class: "panel-title", tabIndex: -1 }, t("topology.title")),
      el(
        "button",
        {
          type: "button",
          class: "button quiet",
          "aria-pressed": String(asTable),
          onClick: () => setAsTable(!asTable),
        },
        asTable ? t("topology.picture") : t("topology.table"),
      ),
    ),
    el(
      "div",
      { class: "topology-frame", ref: frame },
      asTable
        ? part(NodesTable, { nodes: topology.nodes, showLayer: true })
        : picture === undefined
          ? null
          : drawn(picture),
    ),
  );
}

function drawn({ width, height, nodes, edges }: Picture): VNode {
  const isNarrow = width < NARROW;
  const inbound = new Map<string, number>();
  for (const { edge } of edges) {
    inbound.set(edge.to, (inbound.get(edge.to) ?? 0) + edge.requestsPerSecond);
  }
  const moving = edges.filter(({ edge }) => edge.requestsPerSecond > 0).length <= MOST_MOVING;
  return el(
    "svg",
    {
      class: names("topology-picture", moving && isFresh() && "moving"),
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "group",
      "aria-label": t("topology.label"),
    },
    el("g", { class: "edges", "aria-hidden": "true" }, edges.map(line)),
    nodes.map((placed) => box(placed, isNarrow ? inbound.get(placed.shown.id) : undefined)),
    isNarrow ? null : el("g", { class: "labels", "aria-hidden": "true" }, edges.map(label)),
  );
}

/** What is old stands still. */
function isFresh(): boolean {
  return link.value.phase === "live" && told("source")?.state === "live";
}

/** Errors beside requests, as a class: none, some, many. */
function troubleOf({ edge }: PlacedEdge): string {
  const share = edge.errorsPerSecond / Math.max(edge.requestsPerSecond, edge.errorsPerSecond, 1e-9);
  if (edge.errorsPerSecond < 0.05 || share < 0.01) return "";
  return share < 0.1 ? "some-errors" : "many-errors";
}

function line(placed: PlacedEdge): VNode {
  const { edge, path } = placed;
  const rate = edge.requestsPerSecond;
  const power = rate <= 0 ? 0 : Math.min(4, 1 + Math.floor(Math.log10(Math.max(1, rate))));
  return el(
    "g",
    {
      class: names("edge", !edge.isActive && "waiting", troubleOf(placed)),
      key: edge.id,
      "data-from": edge.from,
      "data-to": edge.to,
    },
    el("path", { class: `rail power-${power}`, d: path }),
    rate > 0 ? el("path", { class: `flow speed-${power}`, d: path }) : null,
  );
}

function label(placed: PlacedEdge): VNode | null {
  const { edge, label: place } = placed;
  if (place === undefined || !edge.isActive) return null;
  const lang = language.value;
  const hasErrors = edge.errorsPerSecond >= 0.05;
  if (edge.requestsPerSecond === 0 && !hasErrors) return null;
  return el(
    "g",
    { key: edge.id },
    el(
      "text",
      { class: "rate", x: place.x, y: place.y - 6 },
      t("rate.requests", { rate: formatShort(lang, edge.requestsPerSecond) }),
    ),
    hasErrors
      ? el(
          "text",
          { class: names("rate errors", troubleOf(placed)), x: place.x, y: place.y + 14 },
          t("rate.errors", { rate: formatShort(lang, edge.errorsPerSecond) }),
        )
      : null,
  );
}

function box(placed: PlacedNode, rate: number | undefined): VNode {
  const { shown, x, y, width, height } = placed;
  const isClient = shown.layer === "client";
  const title = titleOf(shown);
  const detail = detailOf(shown);
  const word = isClient ? "" : t(`state.${shown.state}`);
  const reason = shown.isGroup ? countsOf(shown) : shown.members[0]!.reason;
  const spoken = [title, word, detail, reason].filter((part) => part !== "").join(", ");
  return el(
    "a",
    {
      class: names(
        "node",
        `tone-${toneOf(shown.state)}`,
        shown.isGroup && "group",
        isClient && "client",
      ),
      href: hrefOf(shown),
      key: shown.id,
      "data-id": shown.id,
      "data-state": shown.state,
      "aria-label": spoken,
    },
    el("title", null, [title, word, detail, reason].filter((part) => part !== "").join("\n")),
    shown.isGroup
      ? el("rect", { class: "shadow", x: x + 4, y: y + 4, width, height, rx: 8 })
      : null,
    el("rect", { class: "box", x, y, width, height, rx: 8 }),
    isClient
      ? el("text", { class: "name", x: x + 14, y: y + 29 }, title)
      : inside({ placed, title, word, detail }, rate),
  );
}

interface Texts {
  readonly placed: PlacedNode;
  readonly title: string;
  readonly word: string;
  readonly detail: string;
}

function inside(
  { placed, title, word, detail }: Texts,
  rate: number | undefined,
): readonly (VNode | null)[] {
  const { shown, x, y, width } = placed;
  const hasRate = rate !== undefined && rate > 0;
  const room = width - 44 - (hasRate ? 56 : 0);
  const wordWidth = textWidth(word, 7.6) + 10;
  return [
    stateIcon(shown.state, 20, { x: x + 10, y: y + 14 }),
    el("text", { class: "name", x: x + 38, y: y + 20 }, fit(title, room, 7.8)),
    el(
      "text",
      { class: "detail", x: x + 38, y: y + 37 },
      el("tspan", { class: "word" }, word),
      cutDetail(detail, room - wordWidth),
    ),
    hasRate
      ? el(
          "text",
          { class: "rate", x: x + width - 10, y: y + 28 },
          t("rate.requests", { rate: formatShort(language.value, rate) }),
        )
      : null,
  ];
}

/** Whole, or enough of it to mean something. */
function cutDetail(detail: string, room: number): string | null {
  if (detail === "") return null;
  const whole = ` · ${detail}`;
  const cut = fit(whole, room, 6.6);
  return cut === whole || cut.length > 10 ? cut : null;
}

function hrefOf(shown: Shown): string {
  if (!shown.isGroup) return linkOfNode(shown.members[0]!);
  if (shown.layer === "server" && shown.parent !== undefined && shown.name !== "")
    return hashOf("pool", shown.name);
  return linkOfNode(shown.members[0]!);
}

function titleOf({ isGroup, layer, members, name }: Shown): string {
  if (layer === "client") return t("topology.clients");
  if (!isGroup) return name;
  const count = members.length;
  return layer === "server" ? t("group.server", { count }) : t(`group.${layer}`, { count });
}

/** Of a group: how many are in which state. */
function countsOf({ isGroup, members }: Shown): string {
  if (!isGroup) return "";
  const counts = countStates(members.map(({ state }) => state));
  return counts.map(([state, count]) => `${count} ${t(`state.${state}`)}`).join(", ");
}

/** The one fact that says most about a node of this layer, beside its state. */
function detailOf(shown: Shown): string {
  if (shown.isGroup) {
    const up = shown.members.filter(({ state }) => state === "UP").length;
    return up === 0 || up === shown.members.length ? "" : `${up} ${t("state.UP")}`;
  }
  const { facts, ageMs, layer } = shown.members[0]!;
  if (shown.state === "UNKNOWN" && ageMs !== undefined && ageMs > 0) return span(ageMs);
  const wanted = {
    client: undefined,
    // There is room for an address, and the length of its prefix says least of it.
    address: facts["addresses"] && String(facts["addresses"]).replaceAll(/\/\d+/gu, ""),
    director: facts["priority"],
    pool: facts["usable"],
    server: facts["endpoint"],
  }[layer];
  if (wanted === undefined) return "";
  if (layer === "director") return t("fact.priority-is", { priority: String(wanted) });
  if (layer === "pool")
    return t("fact.usable-of", {
      usable: String(wanted),
      servers: String(facts["servers"] ?? "?"),
    });
  return String(wanted);
}
