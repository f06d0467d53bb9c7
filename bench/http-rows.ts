/** What is compared: a row for each, every implementation in it. */

import type { Door } from "./http-peers.ts";
import type { Body } from "./http-stage.ts";

export interface Row {
  readonly name: string;
  readonly door: Door;
  readonly connections: number;
  readonly body: Body;
  /** A connection for each request. */
  readonly fresh: boolean;
  /** Part of `--quick`. */
  readonly quick: boolean;
}

type Draft = readonly [door: Door, connections: number, body: Body, more?: "fresh" | "quick"];

const DRAFTS: readonly Draft[] = [
  ["lean", 64, "2 B", "quick"],
  ["lean", 256, "2 B"],
  ["lean", 64, "1 KiB"],
  ["lean", 256, "1 KiB"],
  ["lean", 64, "64 KiB"],
  ["lean", 256, "64 KiB"],
  ["full", 64, "2 B", "quick"],
  ["full", 256, "2 B"],
  ["full", 64, "1 KiB"],
  ["full", 64, "64 KiB", "quick"],
  ["log", 64, "2 B", "quick"],
  ["log", 256, "2 B"],
  ["full", 64, "2 B", "fresh"],
  ["full", 256, "2 B", "fresh"],
  ["tls", 64, "2 B", "quick"],
  ["tls", 64, "64 KiB"],
  ["tls", 64, "2 B", "fresh"],
];

const FEATURES: Readonly<Record<Door, string>> = {
  lean: "lean",
  full: "full features",
  log: "full + access log",
  tls: "full + TLS",
};

export const rows: readonly Row[] = DRAFTS.map(([door, connections, body, more]) => ({
  name: `${FEATURES[door]}, ${more === "fresh" ? "new" : "kept"}, ${connections} x ${body}`,
  door,
  connections,
  body,
  fresh: more === "fresh",
  quick: more === "quick",
}));
