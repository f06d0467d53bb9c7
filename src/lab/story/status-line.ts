/** The line of the live view: one line of the terminal, however narrow that is. */

import type { ServerStatus } from "../../core/balance/pool-ports.ts";

/** Of a terminal that does not tell its size. */
const USUAL_COLUMNS = 80;

/** Cut where the terminal ends: a line that wraps cannot be drawn over. */
export function statusLine(parts: readonly string[], columns: number): string {
  const line = parts.filter((part) => part !== "").join("  ");
  const room = (columns > 1 ? columns : USUAL_COLUMNS) - 1;
  return line.length <= room ? line : `${line.slice(0, room - 1)}\u2026`;
}

/**
 * The address stays on the interface of a director that died or hangs until its lifetime ends, but
 * the lease has silenced it: that is one owner, not two.
 */
export function ownersPart<N extends string>(
  holders: readonly N[],
  runs: (name: N) => boolean,
): string {
  const alive = holders.filter(runs);
  const left = holders.filter((name) => !runs(name));
  const who = (alive.length === 0 ? left : alive).join(" + ") || "nobody";
  const silent = alive.length === 0 || left.length === 0 ? "" : ` (${left.join(", ")} silenced)`;
  return `address on ${who}${silent}`;
}

/** Those that are not up, by name; empty: nobody could be asked. */
export function webPart(servers: readonly Pick<ServerStatus, "name" | "state">[]): string {
  if (servers.length === 0) return "";
  const notUp = servers.filter(({ state }) => state !== "up");
  if (notUp.length === 0) return "all web up";
  return notUp.map(({ name, state }) => `${name} ${state}`).join("  ");
}
