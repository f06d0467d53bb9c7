/**
 * Several checks of one server: it is up while all of them pass. An agent that need not answer is left out
 * (`parts` has nothing of it) until it has.
 */

import type { CheckVerdict } from "./check-settings.ts";

const STRICTNESS = { ready: 0, drain: 1, maint: 2 } as const;

/**
 * Undefined: some are not known yet and none has failed. One verdict alone stays as it is. Of several
 * the first that failed gives the reason, and weights, orders and warnings count as the strictest.
 */
export function combinedVerdict(
  parts: readonly (CheckVerdict | undefined)[],
): CheckVerdict | undefined {
  const known = parts.filter((part) => part !== undefined);
  const [first] = known;
  if (parts.length === 1) return first;
  const failed = known.find(({ up }) => !up);
  if (first === undefined || (failed === undefined && known.length < parts.length))
    return undefined;
  const weights = known.flatMap(({ weightPercent }) => weightPercent ?? []);
  // 0 is no limit, so it is the last to count.
  const limits = known.flatMap(({ maxConnections }) => maxConnections ?? []);
  const lowest = Math.min(...limits.filter((limit) => limit > 0));
  const admins = known.flatMap(({ admin }) => admin ?? []);
  const warning = known.find((part) => part.warning !== undefined)?.warning;
  return {
    subject: first.subject,
    up: failed === undefined,
    reason: failed?.reason ?? `${parts.length} checks passed, the last: ${known.at(-1)!.reason}`,
    latencyMs: Math.max(...known.map(({ latencyMs }) => latencyMs)),
    ...(weights.length === 0 ? {} : { weightPercent: Math.min(...weights) }),
    ...(limits.length === 0 ? {} : { maxConnections: lowest === Infinity ? 0 : lowest }),
    ...(admins.length === 0
      ? {}
      : { admin: admins.reduce((a, b) => (STRICTNESS[b] > STRICTNESS[a] ? b : a)) }),
    ...(warning === undefined ? {} : { warning }),
  };
}

/** Whether somebody who knows `before` must hear of `after`. */
export function isOtherVerdict(before: CheckVerdict | undefined, after: CheckVerdict): boolean {
  return (
    before === undefined ||
    before.up !== after.up ||
    (!after.up && before.reason !== after.reason) ||
    before.weightPercent !== after.weightPercent ||
    before.admin !== after.admin ||
    before.maxConnections !== after.maxConnections ||
    before.warning !== after.warning ||
    JSON.stringify(before.words) !== JSON.stringify(after.words)
  );
}
