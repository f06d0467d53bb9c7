/**
 * Time that the host of a virtual machine gave to somebody else. A bound on real time holds for the time that this
 * machine had: a test may widen it by what was stolen while it measured. Where nothing is stolen the bound is as it was.
 */

import { readFileSync } from "node:fs";

/** The kernel counts in hundredths of a second, whatever its own tick (proc_stat(5), USER_HZ). */
const MS_PER_TICK = 10;
const STEAL_COLUMN = 8;

/** Stolen from all CPUs together since the machine has started, ms. */
export function stolenMs(stat: string = readFileSync("/proc/stat", "utf8")): number {
  const all = stat.slice(0, stat.indexOf("\n")).split(/\s+/u);
  return Number(all[STEAL_COLUMN] ?? 0) * MS_PER_TICK;
}
