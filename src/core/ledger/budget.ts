/** What may go wrong in a period, what did, and what is left. */

import type { Availability } from "./availability.ts";
import type { Owner } from "./settings.ts";

export interface Budget {
  /** Bad minutes that the objective allows in the time that counts. */
  readonly allowedMinutes: number;
  readonly usedMinutes: number;
  /** Requests that may fail of those that were asked. */
  readonly allowedRequests: number;
  readonly usedRequests: number;
  /** 1: nothing used, 0: all, negative: overdrawn; of requests. Absent: nothing was asked. */
  readonly leftByRequests?: number;
  readonly leftByTime: number;
  /** `allowedMinutes` x the heaviest class: the score of an objective that is just met. */
  readonly allowedScore: number;
}

export function budgetOf(
  objective: number,
  measured: Pick<Availability, "good" | "bad" | "badMs" | "plannedMs">,
  span: { readonly lengthMs: number; readonly heaviest: number },
): Budget {
  const { good, bad, badMs, plannedMs } = measured;
  const allowed = 1 - objective;
  const allowedMinutes = (allowed * Math.max(0, span.lengthMs - plannedMs)) / 60_000;
  const usedMinutes = badMs / 60_000;
  const allowedRequests = allowed * (good + bad);
  return {
    allowedMinutes,
    usedMinutes,
    allowedRequests,
    usedRequests: bad,
    ...(good + bad === 0 ? {} : { leftByRequests: 1 - bad / allowedRequests }),
    leftByTime: allowedMinutes === 0 ? 0 : 1 - usedMinutes / allowedMinutes,
    allowedScore: allowedMinutes * span.heaviest,
  };
}

/** Hundredths of a percent must add up: 33.33 + 33.33 + 33.34. */
const SHARE_SLACK = 0.005;

/** Undefined: the shares add up to 100 %, and nobody is named twice; else what is wrong. */
export function shareProblem(owners: readonly Owner[]): string | undefined {
  if (owners.length === 0) return undefined;
  const names = owners.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return `${twice} is named twice`;
  if (owners.some(({ share }) => !(share >= 0))) return "a share is negative";
  const sum = owners.reduce((total, { share }) => total + share, 0);
  if (Math.abs(sum - 100) <= SHARE_SLACK) return undefined;
  return `the shares add up to ${Number(sum.toFixed(2))} %, not to 100 %`;
}

/** Parts of a score or budget by share; what nobody owns is nobody's. */
export function split(amount: number, owners: readonly Owner[]): Map<string, number> {
  const parts = new Map<string, number>();
  for (const { name, share } of owners) {
    parts.set(name, (parts.get(name) ?? 0) + (amount * share) / 100);
  }
  return parts;
}
