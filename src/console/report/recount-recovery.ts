/**
 * How users got their service back, and what was lost: the rules of docs/ledger.md a second time, over the
 * lines around one incident.
 */

import type { LedgerService } from "../../core/ledger/settings.ts";
import { joined, type Line, type Window } from "./recount-lines.ts";

/** An incident as the walk left it. */
export interface Walk {
  readonly startMs: number;
  readonly lastMs: number;
  readonly harm: readonly Window[];
  /** Parts that were out, cut as the incident is; still out: until now. */
  readonly outages: readonly Window[];
}

export interface Recovered {
  /** With nobody's help; undefined: it is not over. */
  readonly byItself: boolean | undefined;
  /** When another one served, from the first decision or bad evidence on. */
  readonly switchedMs?: number;
  readonly rpoMs?: number;
}

const BUCKET_MS = 10_000;
const ORDERS =
  /^(handover-asked|server-change-asked|server-ready|server-maint|server-drain-started|server-removed)$/u;
const SWITCHES = /^server-(down|ejected|tier)$/u;

export function concerns({ subject, kind, source }: Line, service: LedgerService): boolean {
  return (
    subject === "" ||
    kind.startsWith("role-") ||
    service.instances.includes(subject) ||
    service.pools.includes(subject.split("/")[0]!) ||
    service.frontends.includes(subject) ||
    (/^(operator|probe|drill)$/u.test(source) && subject === service.name)
  );
}

export function recoveredOf(
  walk: Walk,
  lines: readonly Line[],
  { service, nowMs, startMs }: { service: LedgerService; nowMs: number; startMs: number },
): Recovered {
  const near = lines.filter(
    (line) =>
      line.atMs >= walk.startMs - 2 * BUCKET_MS &&
      line.atMs <= walk.lastMs + BUCKET_MS &&
      concerns(line, service),
  );
  const switched = near.find(
    (line) => line.atMs >= startMs && (isMove(line) || SWITCHES.test(line.kind)),
  );
  const lost = near
    .filter(({ kind }) => kind === "work-lost")
    .map(({ data }) => Number(data["rpoMs"]));
  const rpoMs = Math.max(...lost.filter((ms) => ms >= 0));
  return {
    byItself: wasByItself(walk, near, nowMs),
    ...(switched === undefined ? {} : { switchedMs: switched.atMs }),
    ...(rpoMs >= 0 ? { rpoMs } : {}),
  };
}

function wasByItself(
  { harm, outages }: Walk,
  near: readonly Line[],
  nowMs: number,
): boolean | undefined {
  const last = joined(harm).at(-1);
  if (last === undefined) return true;
  const { fromMs, toMs: endMs } = last;
  if (endMs + BUCKET_MS > nowMs) return undefined;
  const before = near.filter(({ atMs }) => atMs <= endMs);
  if (before.some(({ kind }) => ORDERS.test(kind))) return false;
  if (before.some(isMove)) return true;
  // Served again while something was still broken, and nothing had just come back.
  const isStillOut = outages.some((one) => one.fromMs < endMs && one.toMs > endMs);
  return isStillOut && !outages.some(({ toMs }) => fromMs < toMs && toMs <= endMs + 1_000);
}

function isMove({ kind, data }: Line): boolean {
  return kind === "state-changed" && data["to"] === "MASTER";
}
