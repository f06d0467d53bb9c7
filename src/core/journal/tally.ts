/**
 * Counters of processes that come and go become sums of a span. Each process counts from its own
 * start; what it has counted since the last look is the difference, and one that ended has said its
 * last numbers - or was killed, and took its requests in flight along.
 */

import type { Latency, Measurement } from "./measurement.ts";

/** Counters that only grow, of one subject in one process. */
export interface Counted {
  readonly subject: string;
  readonly good: number;
  readonly bad: number;
  /** Now, not since the start. */
  readonly inFlight: number;
  /** Absent in what was kept of an earlier look: it is large. */
  readonly latency?: Latency;
}

export interface CountingProcess {
  /** Unique to one life of one process. */
  readonly life: string;
  /** These are its last numbers. */
  readonly isEnded: boolean;
  readonly counted: readonly Counted[];
}

interface Sum {
  good: number;
  bad: number;
  firstBadMs: number | undefined;
  lastBadMs: number | undefined;
  darkMs: number;
  /** Looks without any answer since the last dark one. */
  silentMs: number;
  readonly latency: Map<number, number>;
}

/** After a longer pause nobody knows what was in it. */
const LONGEST_LOOK_MS = 2_000;

export class Tally {
  #before: ReadonlyMap<string, CountingProcess> | undefined;
  #lookedMs = 0;
  readonly #sums = new Map<string, Sum>();

  /** `before`: the `state` of somebody who counted before, on the same life of this machine. */
  constructor(before?: readonly CountingProcess[]) {
    if (before !== undefined) this.#before = new Map(before.map((one) => [one.life, one]));
  }

  /** Where the counters stood at the last look, small enough to be kept. */
  get state(): readonly CountingProcess[] | undefined {
    if (this.#before === undefined) return undefined;
    return [...this.#before.values()].map(({ counted, ...rest }) => ({
      ...rest,
      counted: counted.map(({ latency: _latency, ...numbers }) => numbers),
    }));
  }

  /** `wallMs`: of this look. The first one of all only tells where the counters stand. */
  look(processes: readonly CountingProcess[], wallMs: number): void {
    const now = new Map(processes.map((one) => [one.life, one]));
    const before = this.#before;
    this.#before = now;
    if (before === undefined) return;
    if (before.size === 0 && now.size === 0) {
      this.#lookedMs = wallMs;
      return;
    }
    const counts = [...this.#sums].map(([name, { good, bad }]) => [name, { good, bad }] as const);
    for (const one of processes) this.#count(before.get(one.life), one, wallMs);
    for (const [life, gone] of before)
      if (!now.has(life) && !gone.isEnded) this.#lose(gone, wallMs);
    this.#noteDark(new Map(counts), wallMs);
  }

  /** Something that is so at one look: an instance that is held here. */
  held(subject: string): void {
    this.#sum(subject).good++;
  }

  /** The sums since the last call, of what there was anything of. */
  take(vantageOf: (subject: string) => string, fromMs: number, lengthMs: number): Measurement[] {
    const measurements = [...this.#sums].map(([subject, sum]): Measurement => {
      const { good, bad, firstBadMs, lastBadMs, darkMs } = sum;
      const latency = [...sum.latency].sort(([a], [b]) => a - b);
      return {
        subject,
        vantage: vantageOf(subject),
        fromMs,
        lengthMs,
        good,
        bad,
        ...(firstBadMs === undefined ? {} : { firstBadMs }),
        ...(lastBadMs === undefined ? {} : { lastBadMs }),
        ...(darkMs === 0 ? {} : { darkMs }),
        ...(latency.length === 0 ? {} : { latency }),
      };
    });
    this.#sums.clear();
    return measurements;
  }

  /** All processes together: one that still answers is light enough. */
  #noteDark(
    before: ReadonlyMap<string, { readonly good: number; readonly bad: number }>,
    wallMs: number,
  ): void {
    const lengthMs = Math.min(Math.max(0, wallMs - this.#lookedMs), LONGEST_LOOK_MS);
    this.#lookedMs = wallMs;
    for (const [subject, sum] of this.#sums) {
      const { good, bad } = before.get(subject) ?? { good: 0, bad: 0 };
      if (sum.good > good) sum.silentMs = 0;
      else if (sum.bad === bad) sum.silentMs += sum.darkMs > 0 ? lengthMs : 0;
      else {
        // Between two failures nobody was answered at all: they were kept waiting.
        sum.darkMs += sum.silentMs + lengthMs;
        sum.silentMs = 0;
      }
    }
  }

  #count(before: CountingProcess | undefined, now: CountingProcess, wallMs: number): void {
    const known = new Map(before?.counted.map((one) => [one.subject, one]));
    for (const { subject, good, bad, latency } of now.counted) {
      const old = known.get(subject);
      // Less than before: the subject was taken away and came back, and counts anew.
      const isFresh = old === undefined || good < old.good || bad < old.bad;
      const moreGood = good - (isFresh ? 0 : old.good);
      const moreBad = bad - (isFresh ? 0 : old.bad);
      if (moreGood === 0 && moreBad === 0) continue;
      const sum = this.#sum(subject);
      sum.good += moreGood;
      addBad(sum, moreBad, wallMs);
      if (latency === undefined || (!isFresh && old.latency === undefined)) continue;
      const times = new Map(isFresh ? [] : old.latency);
      for (const [index, count] of latency) {
        const more = count - (times.get(index) ?? 0);
        if (more > 0) sum.latency.set(index, (sum.latency.get(index) ?? 0) + more);
      }
    }
  }

  #lose({ counted }: CountingProcess, wallMs: number): void {
    for (const { subject, inFlight } of counted) {
      if (inFlight > 0) addBad(this.#sum(subject), inFlight, wallMs);
    }
  }

  #sum(subject: string): Sum {
    let sum = this.#sums.get(subject);
    if (sum === undefined) {
      sum = {
        good: 0,
        bad: 0,
        firstBadMs: undefined,
        lastBadMs: undefined,
        darkMs: 0,
        silentMs: 0,
        latency: new Map(),
      };
      this.#sums.set(subject, sum);
    }
    return sum;
  }
}

function addBad(sum: Sum, count: number, wallMs: number): void {
  if (count === 0) return;
  sum.bad += count;
  sum.firstBadMs ??= wallMs;
  sum.lastBadMs = wallMs;
}
