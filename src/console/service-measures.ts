/** Measurements of frontends and by probes become measures of services. */

import type { Measurement } from "../core/journal/measurement.ts";
import type { Measure } from "../core/ledger/measure.ts";
import type { LedgerService } from "../core/ledger/settings.ts";
import { bucketEndMs, HISTOGRAM_BUCKETS } from "../core/proxy/histogram.ts";
import type { SlowRule } from "../drivers/measure-store.ts";

const LOOK_MS = 1_000;

/** What is measured of a service: its frontends by the balancer, itself by probes. */
export function subjectsOf({ name, frontends }: LedgerService): string[] {
  return [...frontends.map((frontend) => `frontend ${frontend}`), `service ${name}`];
}

/** Of all of them: each looks at its own spans only, whatever else was measured. */
export function measuresOfAll(
  services: readonly LedgerService[],
  spans: readonly Measurement[],
): Measure[] {
  const bySubject = Map.groupBy(spans, ({ subject }) => subject);
  return services.flatMap((service) => {
    const own = subjectsOf(service).flatMap((subject) => bySubject.get(subject) ?? []);
    return own.length === 0 ? [] : measuresOf(service, own);
  });
}

/** One for each vantage and span; several frontends add up. */
export function measuresOf(service: LedgerService, spans: readonly Measurement[]): Measure[] {
  const subjects = new Set(subjectsOf(service));
  const sums = new Map<string, Measure>();
  for (const span of spans) {
    if (!subjects.has(span.subject) || !isWanted(service, span.vantage)) continue;
    const key = `${span.vantage} ${span.fromMs} ${span.lengthMs}`;
    const one = measureOf(service, span);
    const before = sums.get(key);
    sums.set(key, before === undefined ? one : added(before, one));
  }
  return [...sums.values()];
}

function isWanted({ probes }: LedgerService, vantage: string): boolean {
  const probe = /^probe:(.*)$/u.exec(vantage)?.[1];
  if (probe === undefined) return vantage === "balancer";
  return probes.length === 0 || probes.includes(probe);
}

function measureOf(service: LedgerService, span: Measurement): Measure {
  const { vantage, fromMs, lengthMs, good, bad, firstBadMs, lastBadMs, darkMs, latency } = span;
  return {
    service: service.name,
    vantage,
    fromMs,
    lengthMs,
    good,
    bad,
    slow: slowOf(service, span),
    // The balancer's counters are looked at each second: the first failure was in that second.
    ...(firstBadMs === undefined
      ? {}
      : { firstBadMs: vantage === "balancer" ? firstBadMs - LOOK_MS : firstBadMs }),
    ...(lastBadMs === undefined ? {} : { lastBadMs }),
    ...(darkMs === undefined ? {} : { darkMs }),
    ...(latency === undefined ? {} : { latency }),
  };
}

/** A balancer counts times and knows no objective: slow is what is in the buckets above it. */
function slowOf({ objectives }: LedgerService, { good, slow, latency = [] }: Measurement): number {
  if (slow !== undefined) return slow;
  const belowMs = objectives.latency?.belowMs;
  if (belowMs === undefined) return 0;
  const above = latency.filter(([index]) => bucketEndMs(index) > belowMs * SPAN_OF_BUCKET);
  return Math.min(
    good,
    above.reduce((sum, [, count]) => sum + count, 0),
  );
}

/** What is slow of what a service is measured by; nothing without such an objective. */
export function slowRules(service: LedgerService): SlowRule[] {
  const belowMs = service.objectives.latency?.belowMs;
  if (belowMs === undefined) return [];
  let fromIndex = 0;
  while (fromIndex < HISTOGRAM_BUCKETS && bucketEndMs(fromIndex) <= belowMs * SPAN_OF_BUCKET) {
    fromIndex++;
  }
  return subjectsOf(service).map((subject) => ({ subject, fromIndex }));
}

/** A bucket counts as slow when it lies above the limit as a whole; it is a quarter octave wide. */
const SPAN_OF_BUCKET = 1.25;

function added(a: Measure, b: Measure): Measure {
  const firsts = [a.firstBadMs, b.firstBadMs].filter((ms) => ms !== undefined);
  const lasts = [a.lastBadMs, b.lastBadMs].filter((ms) => ms !== undefined);
  // The service is dark while all of its frontends are.
  const darkMs = Math.min(a.darkMs ?? 0, b.darkMs ?? 0);
  const latency = [...(a.latency ?? []), ...(b.latency ?? [])];
  return {
    ...a,
    good: a.good + b.good,
    bad: a.bad + b.bad,
    slow: a.slow + b.slow,
    ...(firsts.length === 0 ? {} : { firstBadMs: Math.min(...firsts) }),
    ...(lasts.length === 0 ? {} : { lastBadMs: Math.max(...lasts) }),
    darkMs,
    ...(latency.length === 0 ? {} : { latency }),
  };
}
