/** Whether a worker may have as many descriptors as its frontends let clients in. */

import { readFileSync } from "node:fs";
import type { BalanceSettings } from "../core/proxy/frontend-settings.ts";

/** Sockets, logs, epoll and what node has for itself. */
const OTHERS = 64;

/** Node raises its own limit to the hard one, and workers inherit that. Infinity: none is known. */
export function descriptorLimit(limits: string = readLimits()): number {
  const [, hard] = /^Max open files\s+\S+\s+(\d+)/m.exec(limits) ?? [];
  return hard === undefined ? Infinity : Number(hard);
}

/** A sentence for the log; undefined: there are enough. A client takes two, its server's included. */
export function descriptorWarning(
  { frontends }: Pick<BalanceSettings, "frontends">,
  limit: number,
): string | undefined {
  const connections = frontends.reduce((sum, { limits }) => sum + limits.connections, 0);
  if (limit >= 2 * connections + OTHERS) return undefined;
  const next = "raise LimitNOFILE (ulimit -n) or lower limits.connections";
  return `a worker may open ${limit} files, and ${connections} connections may need twice that: ${next}`;
}

function readLimits(): string {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return "";
  }
}
