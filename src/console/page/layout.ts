/**
 * Where the boxes and lines of a topology go. Its layers are known, so no force and no iteration is
 * needed: columns from the client to the servers on a wide screen, an indented list with a trunk on
 * a narrow one. Pure: the same drawing and width give the same picture.
 */

import type { Layer } from "../api.ts";
import type { Drawing, Shown, ShownEdge } from "./collapse.ts";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedNode extends Box {
  readonly shown: Shown;
}

export interface PlacedEdge {
  readonly edge: ShownEdge;
  /** Of an SVG path. */
  readonly path: string;
  /** End of the text about its traffic; undefined: there is no place for one. */
  readonly label?: { readonly x: number; readonly y: number };
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

const LAYERS: readonly Layer[] = ["client", "address", "director", "pool", "server"];
/** Narrower than this it is a list. */
export const NARROW = 880;
const BOX_HEIGHT = 48;
const ROW_GAP = 14;
const FAMILY_GAP = 12;
const INDENT = 13;
const EDGE = 2;
const LEVEL_SHARE = 0.6;
/** They have one name and no state. */
const CLIENT_WIDTH = 92;

export function layOut(drawing: Drawing, width: number): Picture {
  return width < NARROW ? list(drawing, width) : columns(drawing, width);
}

function columns(drawing: Drawing, width: number): Picture {
  const byLayer = orderedLayers(drawing);
  const used = LAYERS.filter((layer) => byLayer.get(layer)!.length > 0);
  const gap = Math.max(76, Math.min(120, width * 0.085));
  const hasClient = used[0] === "client";
  const room = width - 2 * EDGE - gap * (used.length - 1) - (hasClient ? CLIENT_WIDTH : 0);
  const boxWidth = room / Math.max(1, used.length - (hasClient ? 1 : 0));
  const placed = new Map<string, PlacedNode>();
  const put = (shown: Shown, y: number): void => {
    const isClient = shown.layer === "client";
    const shift = hasClient && !isClient ? CLIENT_WIDTH - boxWidth : 0;
    const x = EDGE + used.indexOf(shown.layer) * (boxWidth + gap) + shift;
    const own = isClient ? CLIENT_WIDTH : boxWidth;
    placed.set(shown.id, { shown, x, y, width: own, height: BOX_HEIGHT });
  };
  let bottom = families(byLayer, put);
  for (const layer of ["client", "address", "director"] as const) {
    bottom = Math.max(bottom, stackHeight(byLayer.get(layer)!.length));
  }
  const tail = families(byLayer, () => undefined);
  const shift = (bottom - tail) / 2;
  families(byLayer, (shown, y) => put(shown, y + shift));
  for (const layer of ["client", "address", "director"] as const) {
    const members = byLayer.get(layer)!;
    const top = EDGE + (bottom - EDGE - stackHeight(members.length)) / 2;
    members.forEach((shown, i) => put(shown, top + i * (BOX_HEIGHT + ROW_GAP)));
  }
  const edges = drawing.edges.flatMap((edge) => {
    const from = placed.get(edge.from);
    const to = placed.get(edge.to);
    return from === undefined || to === undefined ? [] : [curve(edge, from, to)];
  });
  // The order in which the focus goes round: as one reads.
  const nodes = [...placed.values()].toSorted((a, b) => a.x - b.x || a.y - b.y);
  return { width, height: bottom + EDGE, nodes, edges };
}

function stackHeight(count: number): number {
  return count === 0 ? 0 : count * (BOX_HEIGHT + ROW_GAP) - ROW_GAP;
}

/** Pools beside their servers; returns where the last one ends. */
function families(
  byLayer: ReadonlyMap<Layer, readonly Shown[]>,
  put: (shown: Shown, y: number) => void,
): number {
  let y = EDGE;
  const children = Map.groupBy(byLayer.get("server")!, ({ parent }) => parent);
  const orphans = new Set(children.keys());
  for (const pool of byLayer.get("pool")!) {
    orphans.delete(pool.id);
    const own = children.get(pool.id) ?? [];
    const height = Math.max(BOX_HEIGHT, stackHeight(own.length));
    own.forEach((server, i) => put(server, y + i * (BOX_HEIGHT + ROW_GAP)));
    put(pool, y + (height - BOX_HEIGHT) / 2);
    y += height + FAMILY_GAP;
  }
  for (const parent of orphans) {
    for (const server of children.get(parent)!) {
      put(server, y);
      y += BOX_HEIGHT + FAMILY_GAP;
    }
  }
  return Math.max(EDGE, y - FAMILY_GAP);
}

/** Each layer by name, then by the middle of what it is tied to on its left: few lines cross. */
function orderedLayers({ nodes, edges }: Drawing): ReadonlyMap<Layer, readonly Shown[]> {
  const byLayer = new Map<Layer, Shown[]>();
  const rank = new Map<string, number>();
  const sources = Map.groupBy(edges, ({ to }) => to);
  for (const layer of LAYERS) {
    const members = nodes.filter((node) => node.layer === layer);
    members.sort((a, b) => compareNames(a, b));
    const middle = new Map(
      members.map((member) => [member, middleOf(sources.get(member.id), rank)]),
    );
    members.sort((a, b) => middle.get(a)! - middle.get(b)!);
    members.forEach((member, i) => rank.set(member.id, i));
    byLayer.set(layer, members);
  }
  return byLayer;
}

function middleOf(
  edges: readonly ShownEdge[] | undefined,
  rank: ReadonlyMap<string, number>,
): number {
  const active = edges?.filter(({ isActive }) => isActive) ?? [];
  const counted = active.length > 0 ? active : (edges ?? []);
  if (counted.length === 0) return Number.MAX_SAFE_INTEGER;
  const sum = counted.reduce((total, { from }) => total + (rank.get(from) ?? 0), 0);
  return sum / counted.length;
}

/** `web2` before `web10`; groups last. */
function compareNames(a: Shown, b: Shown): number {
  if (a.isGroup !== b.isGroup) return a.isGroup ? 1 : -1;
  return a.name.localeCompare(b.name, "en", { numeric: true });
}

/** The last part runs level, so that there is room for its text. */
function curve(edge: ShownEdge, from: PlacedNode, to: PlacedNode): PlacedEdge {
  const x1 = from.x + from.width;
  const y1 = middle(from);
  const y2 = middle(to);
  const x2 = to.x - (to.x - x1) * LEVEL_SHARE;
  const bend = x1 + (x2 - x1) / 2;
  const path = `M${n(x1)} ${n(y1)}C${n(bend)} ${n(y1)} ${n(bend)} ${n(y2)} ${n(x2)} ${n(y2)}H${n(to.x)}`;
  return { edge, path, label: { x: to.x - 6, y: y2 } };
}

/** One below the other; a line leaves its box downwards and enters the next from the left. */
function list(drawing: Drawing, width: number): Picture {
  const byLayer = orderedLayers(drawing);
  const order: Shown[] = [];
  for (const layer of ["client", "address", "director"] as const)
    order.push(...byLayer.get(layer)!);
  const servers = byLayer.get("server")!;
  const pools = byLayer.get("pool")!;
  for (const pool of pools) {
    order.push(pool, ...servers.filter(({ parent }) => parent === pool.id));
  }
  const known = new Set(order);
  order.push(...servers.filter((server) => !known.has(server)));
  const gap = 8;
  const placed = new Map<string, PlacedNode>();
  order.forEach((shown, i) => {
    const x = EDGE + LAYERS.indexOf(shown.layer) * INDENT;
    const y = EDGE + i * (BOX_HEIGHT + gap);
    placed.set(shown.id, { shown, x, y, width: width - x - EDGE, height: BOX_HEIGHT });
  });
  const edges = drawing.edges.flatMap((edge) => {
    const from = placed.get(edge.from);
    const to = placed.get(edge.to);
    if (from === undefined || to === undefined) return [];
    const x = from.x + INDENT / 2;
    const path = `M${n(x)} ${n(from.y + from.height)}V${n(middle(to))}H${n(to.x)}`;
    return [{ edge, path }];
  });
  const height = EDGE * 2 + Math.max(0, order.length * (BOX_HEIGHT + gap) - gap);
  return { width, height, nodes: [...placed.values()], edges };
}

function middle({ y, height }: Box): number {
  return y + height / 2;
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** About how many pixels a text takes; East Asian characters are nearly as wide as two others. */
export function textWidth(text: string, charPx: number): number {
  let width = 0;
  for (const char of text) width += char > "\u2E7F" ? charPx * 1.75 : charPx;
  return width;
}

/** Cuts a text to about so many pixels. */
export function fit(text: string, widthPx: number, charPx: number): string {
  if (textWidth(text, charPx) <= widthPx) return text;
  let kept = "";
  for (const char of text) {
    if (textWidth(`${kept}${char}…`, charPx) > widthPx) break;
    kept += char;
  }
  return `${kept.trimEnd()}…`;
}
