/** What both probers keep while they run, and how they tell it: lines of JSON on standard output. */
import { monotonicMs } from "../drivers/clock.ts";
import { applyScheduling } from "../drivers/scheduling.ts";
import type { ProbeRecord } from "../core/drill/probe-record.ts";

/** The state of things, told every 20 ms. */
export interface ProbeNews {
  readonly sent: number;
  readonly answered: number;
  /** Known to have failed: refused, cut off, wrong, or not in time. */
  readonly failed: number;
  /** Of the last answer; -1 = none yet. */
  readonly lastAnswerMs: number;
  readonly lastBy: string;
  /** The prober's CLOCK_MONOTONIC when this was told. */
  readonly nowMs: number;
}

export type ProbeLine = { readonly news: ProbeNews } | { readonly record: ProbeRecord };

export interface ProbeTarget {
  readonly target: string;
  readonly intervalMs: number;
  /** An answer that comes later than this after its probe does not count. */
  readonly limitMs: number;
}

const NEWS_INTERVAL_MS = 20;
/** An hour of probes at 1 ms; then the prober ends by itself. */
const MAX_PROBES = 3_600_000;

/**
 * Where we may, a measuring program goes before the load around it: a late one would see outages
 * that are its own. The limit leaves time to tell a long record in one go.
 */
export function measureInTime(): void {
  applyScheduling({ realtimePriority: 10, realtimeLimitMs: 10_000 });
}

export class ProbeLog {
  readonly #aim: ProbeTarget;
  readonly #sentMs: number[] = [];
  readonly #answeredMs: (number | null)[] = [];
  readonly #by: number[] = [];
  readonly #answerers: string[] = [];
  #answered = 0;
  #failed = 0;
  #lastAnswerMs = -1;
  #lastBy = "";

  constructor(aim: ProbeTarget) {
    this.#aim = aim;
  }

  get isFull(): boolean {
    return this.#sentMs.length >= MAX_PROBES;
  }

  /** Returns the probe's number. */
  sent(atMs: number): number {
    this.#sentMs.push(atMs);
    this.#answeredMs.push(null);
    this.#by.push(-1);
    return this.#sentMs.length - 1;
  }

  answered(probe: number, by: string, atMs: number): void {
    const sentMs = this.#sentMs[probe];
    // Another's packet, a duplicate, or too late to be of use to a user.
    if (sentMs === undefined || this.#answeredMs[probe] !== null) return;
    if (atMs - sentMs > this.#aim.limitMs) return;
    this.#answeredMs[probe] = atMs;
    this.#by[probe] = this.#indexOf(by);
    this.#answered++;
    this.#lastAnswerMs = atMs;
    this.#lastBy = by;
  }

  failed(): void {
    this.#failed++;
  }

  /** Tells the news until standard input closes; when `stop` is done then, it tells the record. */
  tellUntilStopped(stop: () => void | Promise<void>): void {
    const timer = setInterval(() => this.#tell({ news: this.#news() }), NEWS_INTERVAL_MS);
    process.stdin.resume().once("end", () => {
      clearInterval(timer);
      void Promise.resolve(stop()).then(() => this.#tell({ record: this.#record() }));
    });
  }

  #tell(line: ProbeLine): void {
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }

  #indexOf(by: string): number {
    const known = this.#answerers.indexOf(by);
    return known >= 0 ? known : this.#answerers.push(by) - 1;
  }

  #news(): ProbeNews {
    return {
      sent: this.#sentMs.length,
      answered: this.#answered,
      failed: this.#failed,
      lastAnswerMs: this.#lastAnswerMs,
      lastBy: this.#lastBy,
      nowMs: monotonicMs(),
    };
  }

  #record(): ProbeRecord {
    const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;
    return {
      target: this.#aim.target,
      intervalMs: this.#aim.intervalMs,
      sentMs: this.#sentMs.map(rounded),
      answeredMs: this.#answeredMs.map((ms) => (ms === null ? null : rounded(ms))),
      by: this.#by,
      answerers: this.#answerers,
      endMs: rounded(monotonicMs()),
    };
  }
}
