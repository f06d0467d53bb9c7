/** Measurements as the points of a chart: steps of one length, by vantage; those of several nodes as one. */

import { addLatency, type Latency } from "../journal/measurement.ts";
import { latencyOf } from "./measure.ts";

/** One place that was looked from; a list entry for each step. */
export interface VantageSteps {
  readonly vantage: string;
  readonly good: readonly number[];
  readonly bad: readonly number[];
  readonly latency: readonly Latency[];
}

/** Points of the line, for whoever draws it. */
export interface VantagePoints {
  readonly vantage: string;
  /** Requests that got a proper answer, and others. */
  readonly good: readonly number[];
  readonly bad: readonly number[];
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
  readonly good: number;
  readonly bad: number;
  readonly latency?: Latency;
}

interface Sums {
  readonly good: number[];
  readonly bad: number[];
  readonly latency: Latency[];
}

export class Chart {
  readonly #frame: ChartFrame;
  readonly #length: number;
  readonly #sums = new Map<string, Sums>();

  constructor(frame: ChartFrame) {
    this.#frame = frame;
    this.#length = stepsOf(frame);
  }

  add({ vantage, fromMs, good, bad, latency = [] }: Measured): void {
    const i = Math.floor((fromMs - this.#frame.fromMs) / this.#frame.stepMs);
    const sums = this.#of(vantage);
    if (i < 0 || i >= this.#length || sums === undefined) return;
    sums.good[i]! += good;
    sums.bad[i]! += bad;
    sums.latency[i] = addLatency(sums.latency[i]!, latency);
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
      const [theirGood, theirBad] = [good[i] ?? 0, bad[i] ?? 0];
      if (isProbe) {
        if (theirGood + theirBad <= sums.good[i]! + sums.bad[i]!) continue;
        sums.good[i] = theirGood;
        sums.bad[i] = theirBad;
        sums.latency[i] = latency[i] ?? [];
      } else {
        sums.good[i]! += theirGood;
        sums.bad[i]! += theirBad;
        sums.latency[i] = addLatency(sums.latency[i]!, latency[i] ?? []);
      }
    }
  }

  /** By name. */
  get steps(): readonly VantageSteps[] {
    return [...this.#sums]
      .map(([vantage, sums]) => ({ vantage, ...sums }))
      .toSorted((a, b) => (a.vantage < b.vantage ? -1 : 1));
  }

  get points(): readonly VantagePoints[] {
    return this.steps.map(({ vantage, good, bad, latency }) => {
      const times = latency.map((one) => latencyOf([{ latency: one }]));
      const p50 = times.map((one) => one?.p50 ?? null);
      return { vantage, good, bad, p50, p99: times.map((one) => one?.p99 ?? null) };
    });
  }

  #of(vantage: string): Sums | undefined {
    const known = this.#sums.get(vantage);
    if (known !== undefined || this.#sums.size >= MAX_VANTAGES) return known;
    const zeros = (): number[] => Array.from({ length: this.#length }, () => 0);
    const latency = Array.from({ length: this.#length }, (): Latency => []);
    const sums = { good: zeros(), bad: zeros(), latency };
    this.#sums.set(vantage, sums);
    return sums;
  }
}
