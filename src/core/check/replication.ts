/** Which of a pair a database is, and how far behind: the same words for each kind of database. */

import type { DatabaseSettings } from "./check-settings.ts";

/** `said`: what it is or does: `is read-only`. The answer is what is wrong, if anything. */
export function judgeRole(
  wanted: DatabaseSettings["role"],
  isReplica: boolean,
  said: string,
): string | undefined {
  if (wanted === "any" || (wanted === "replica") === isReplica) return undefined;
  return `it ${said}, wanted a ${wanted}`;
}

/** `maxLagMs` 0: any lag is good. */
export function judgeLag(lagMs: number, maxLagMs: number): string | undefined {
  if (maxLagMs === 0 || lagMs <= maxLagMs) return undefined;
  const behind = Math.round(lagMs / 100) / 10;
  return `${behind} s behind its primary, at most ${maxLagMs / 1000} s are allowed`;
}
