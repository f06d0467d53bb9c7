/**
 * What each worker has counted, small enough to be asked for every second: no servers, no states. Kept
 * apart per worker, because each counts from its own start.
 */

import type { CountingProcess, Counted } from "../core/journal/tally.ts";
import type { Latency } from "../core/journal/measurement.ts";
import type { Engine } from "../core/proxy/engine.ts";
import type { Traffic } from "../core/proxy/traffic.ts";
import { monotonicMs } from "../drivers/clock.ts";
import type { WorkerLink } from "./balance-hub.ts";

/** The last numbers of a worker are told that long: several looks. */
const LAST_NUMBERS_MS = 30_000;
const MAX_ENDED = 64;

export function countedBy(engine: Engine): Counted[] {
  return [
    ...[...engine.frontends].map(({ name, traffic }) => countedOf(`frontend ${name}`, traffic)),
    ...[...engine.dispatchers].map(({ settings, traffic }) =>
      countedOf(`pool ${settings.name}`, traffic),
    ),
  ];
}

function countedOf(subject: string, traffic: Traffic): Counted {
  const latency: (readonly [number, number])[] = [];
  traffic.totalTime.counts.forEach((count, index) => {
    if (count > 0) latency.push([index, count]);
  });
  const { good, bad, inFlight } = traffic.toRecord();
  return { subject, good, bad, inFlight, latency: latency satisfies Latency };
}

/** Workers that live, and those that have said their last word lately. */
export class TrafficDesk {
  readonly #ended: { readonly process: CountingProcess; readonly atMs: number }[] = [];

  /** A worker that was drained. */
  ended({ hello }: WorkerLink, counted: readonly Counted[]): void {
    const process = { life: lifeOf(hello), isEnded: true, counted };
    this.#ended.push({ process, atMs: monotonicMs() });
    if (this.#ended.length > MAX_ENDED) this.#ended.shift();
  }

  async look(links: readonly WorkerLink[]): Promise<CountingProcess[]> {
    const fromMs = monotonicMs() - LAST_NUMBERS_MS;
    while ((this.#ended[0]?.atMs ?? Infinity) < fromMs) this.#ended.shift();
    const answers = await Promise.all(
      links.map(async (link): Promise<CountingProcess[]> => {
        const { reply } = await link.ask({ type: "get-traffic" });
        const counted = reply?.counted;
        return counted === undefined ? [] : [{ life: lifeOf(link.hello), isEnded: false, counted }];
      }),
    );
    const ended = this.#ended.map(({ process }) => process);
    const over = new Set(ended.map(({ life }) => life));
    return [...answers.flat().filter(({ life }) => !over.has(life)), ...ended];
  }
}

function lifeOf({ serial, pid }: WorkerLink["hello"]): string {
  return `${serial} ${pid}`;
}
