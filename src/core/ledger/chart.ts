/** Measurements as the points of a chart: steps of one length, by vantage; those of several nodes as one. */

import { addLatency, type Latency } from "../journal/measurement.ts";
import { latencyOf } from "./measure.ts";

/** A count for each step; null: nobody measured there. */
type Counts = readonly (number | null)[];

/** One place that was looked from; a list entry for each step. */
export interface VantageSteps {
  readonly vantage: string;
  readonly good: Counts;
  readonly bad: Counts;
  readonly latency: readonly Latency[];
}

/** Points of the line, for whoever draws it. */
export interface VantagePoints {
  readonly vantage: string;
  /** Requests that got a proper answer, and others; null: nobody measured, 0: nobody asked. */
  readonly good: Counts;
  readonly bad: Counts;
  /** Milliseconds below which half, and 99 in 100, of the answers were; null: no times are known. */
  readonly p50: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
}

export interface ChartFrame {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** As measurements are kept, and what people read on an axis. */
const STEPS = [10 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 24 * HOUR];
/** More points than that nobody sees. */
const MAX_POINTS = 400;
/** Names of probes come from outside. */
const MAX_VANTAGES = 32;

/** The finest steps that a chart of that span has room for; it begins and ends with a whole one. */
export function frameOf(fromMs: number, toMs: number): ChartFrame {
  const stepMs = STEPS.find((step) => (toMs - fromMs) / step <= MAX_POINTS) ?? STEPS.at(-1)!;
  const whole = (ms: number, round: (steps: number) => number): number =>
    round(ms / stepMs) * stepMs;
  return { fromMs: whole(fromMs, Math.floor), toMs: whole(toMs, Math.ceil), stepMs };
}

export function stepsOf({ fromMs, toMs, stepMs }: ChartFrame): number {
  return Math.min(MAX_POINTS, Math.max(1, Math.ceil((toMs - fromMs) / stepMs)));
}

interface Measured {
  readonly vantage: string;
  readonly fromMs: number;
  readonly lengthMs: number;
  readonly good: number;
  readonly bad: number;
  readonly latency?: Latency;
}

interface Sums {
  readonly good: (number | null)[];
  readonly bad: (number | null)[];
  readonly latency: Latency[];
}

export class Chart {
  readonly #frame: ChartFrame;
  readonly #length: number;
  readonly #sums = new Map<string, Sums>();
  /** Steps in which the balancer's counters were looked at. */
  readonly #looked = new Set<number>();

  constructor(frame: ChartFrame) {
    this.#frame = frame;
    this.#length = stepsOf(frame);
  }

  /** What was measured in a longer time than a step is spread evenly over the steps of that time. */
  add({ vantage, fromMs, lengthMs, good, bad, latency = [] }: Measured): void {
    const steps = this.#stepsOf(fromMs, lengthMs);
    const sums = steps.length === 0 ? undefined : this.#of(vantage);
    if (sums === undefined) return;
    const share = Math.max(1, Math.round(lengthMs / this.#frame.stepMs));
    for (const i of steps) {
      sums.good[i] = (sums.good[i] ?? 0) + good / share;
      sums.bad[i] = (sums.bad[i] ?? 0) + bad / share;
      sums.latency[i] = addLatency(sums.latency[i]!, latency);
    }
  }

  /** Somebody read the balancer's counters then: where no request was counted there was none. */
  looked(fromMs: number, lengthMs: number): void {
    for (const i of this.#stepsOf(fromMs, lengthMs)) this.#looked.add(i);
  }

  /**
   * What another node measured in the same steps. Each request went through one balancer: they add up.
   * A prober may have told both nodes the same: of each step the fuller count is taken.
   */
  merge({ vantage, good, bad, latency }: VantageSteps): void {
    const sums = this.#of(vantage);
    if (sums === undefined) return;
    const isProbe = vantage.startsWith("probe:");
    for (let i = 0; i < this.#length; i++) {
      const [theirGood, theirBad] = [good[i] ?? null, bad[i] ?? null];
      if (theirGood === null || theirBad === null) continue;
      const [ownGood, ownBad] = [sums.good[i] ?? null, sums.bad[i] ?? null];
      if (isProbe && ownGood !== null && theirGood + theirBad <= ownGood + (ownBad ?? 0)) continue;
      sums.good[i] = isProbe ? theirGood : (ownGood ?? 0) + theirGood;
      sums.bad[i] = isProbe ? theirBad : (ownBad ?? 0) + theirBad;
      sums.latency[i] = isProbe
        ? (latency[i] ?? [])
        : addLatency(sums.latency[i]!, latency[i] ?? []);
    }
  }

  /** By name. */
  get steps(): readonly VantageSteps[] {
    return [...this.#sums]
      .map(([vantage, { good, bad, latency }]) => {
        const shown = (counts: Counts): Counts =>
          vantage === "balancer"
            ? counts.map((count, i) => count ?? (this.#looked.has(i) ? 0 : null))
            : counts;
        return { vantage, good: shown(good), bad: shown(bad), latency };
      })
      .toSorted((a, b) => (a.vantage < b.vantage ? -1 : 1));
  }

  get points(): readonly VantagePoints[] {
    return this.steps.map(({ vantage, good, bad, latency }) => {
      const times = latency.map((one) => latencyOf([{ latency: one }]));
      const p50 = times.map((one) => one?.p50 ?? null);
      return { vantage, good, bad, p50, p99: times.map((one) => one?.p99 ?? null) };
    });
  }

  /** Those that lie in the frame. */
  #stepsOf(fromMs: number, lengthMs: number): readonly number[] {
    const at = (ms: number): number => Math.floor((ms - this.#frame.fromMs) / this.#frame.stepMs);
    const first = Math.max(0, at(fromMs));
    const last = Math.min(this.#length - 1, at(fromMs + lengthMs - 1));
    // A span that is no longer than a step counts where it began.
    const end = lengthMs <= this.#frame.stepMs ? Math.min(first, at(fromMs), last) : last;
    return Array.from({ length: Math.max(0, end - first + 1) }, (_, i) => first + i);
  }

  #of(vantage: string): Sums | undefined {
    const known = this.#sums.get(vantage);
    if (known !== undefined || this.#sums.size >= MAX_VANTAGES) return known;
    const nothing = (): null[] => Array.from({ length: this.#length }, () => null);
    const latency = Array.from({ length: this.#length }, (): Latency => []);
    const sums = { good: nothing(), bad: nothing(), latency };
    this.#sums.set(vantage, sums);
    return sums;
  }
}
