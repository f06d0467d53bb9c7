/** What went through a frontend, a pool or a server, as numbers that workers can add up. */

import { Histogram } from "./histogram.ts";

/** Positions in `Traffic.counts`. All but the two gauges only grow. */
export const COUNTERS = {
  /** Connections: of clients to a frontend, or opened to a server. */
  connections: 0,
  requests: 1,
  informational: 2,
  success: 3,
  redirect: 4,
  clientError: 5,
  serverError: 6,
  /** Bytes of requests and of answers, heads and framing included. */
  bytesIn: 7,
  bytesOut: 8,
  /** Sent once more to another server, and tries that failed before that. */
  retries: 9,
  connectErrors: 10,
  answerErrors: 11,
  timeouts: 12,
  /** A retry that the budget did not allow. */
  retriesDenied: 13,
  /** Clients that left before their answer was complete. */
  clientAborts: 14,
  /** Refused here: malformed, over a limit of connections, of rate, by load, by the queue. */
  malformed: 15,
  connectionsRefused: 16,
  rateLimited: 17,
  shed: 18,
  queueRefused: 19,
  /** Requests sent over a kept connection. */
  reused: 20,
  tunnels: 21,
  /** Exchanges that were ended because their server went down or its drain was over. */
  cut: 22,
  /** Gauges. */
  openConnections: 23,
  inFlight: 24,
  /** What users got, see `verdictOn`. */
  good: 25,
  bad: 26,
  /** TLS handshakes of clients that came to nothing. */
  handshakesFailed: 27,
} as const;

export type CounterName = keyof typeof COUNTERS;
export const COUNTER_NAMES: readonly CounterName[] = Object.keys(COUNTERS) as CounterName[];
type Counter = (typeof COUNTERS)[CounterName];

export class Traffic {
  readonly counts: Float64Array = new Float64Array(COUNTER_NAMES.length);
  /** From the first byte of the request to the last of the answer. */
  readonly totalTime: Histogram = new Histogram();
  /** From the request sent to the first byte of the answer. */
  readonly answerTime: Histogram = new Histogram();

  add(counter: Counter, amount: number): void {
    this.counts[counter] = (this.counts[counter] as number) + amount;
  }

  /** Times of one exchange, each with its bucket; a bucket of -1 = not to be counted. */
  took(
    { totalMs, answerMs }: { readonly totalMs: number; readonly answerMs: number },
    totalBucket: number,
    answerBucket: number,
  ): void {
    if (totalBucket >= 0) this.totalTime.add(totalBucket, totalMs);
    if (answerBucket >= 0) this.answerTime.add(answerBucket, answerMs);
  }

  get(name: CounterName): number {
    return this.counts[COUNTERS[name]] as number;
  }

  /** The class of a final answer. */
  answered(status: number): void {
    const index = COUNTERS.informational + Math.min(Math.max(Math.floor(status / 100), 1), 5) - 1;
    this.counts[index] = (this.counts[index] as number) + 1;
  }

  /** Names and numbers, for status pages and metrics. */
  toRecord(): Record<CounterName, number> {
    const record = {} as Record<CounterName, number>;
    for (const name of COUNTER_NAMES) record[name] = this.get(name);
    return record;
  }
}
