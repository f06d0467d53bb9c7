/**
 * Brings a prober's record to a node, the oldest first, and again until the node has it. What is
 * delivered twice counts once there.
 */

import { MOST_BUCKETS, MOST_OUTAGES, type ProbeReport } from "../core/probe/report.ts";
import { deliver, type DeliveryTarget } from "../drivers/probe-delivery.ts";
import type { ProbeStore, Waiting } from "../drivers/probe-store.ts";

export interface SpoolOptions {
  readonly store: ProbeStore;
  readonly to: DeliveryTarget;
  readonly probe: string;
  readonly service?: string;
  /** The prober's clock. */
  readonly nowMs: () => number;
  readonly onTrouble: (text: string) => void;
}

const PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 60_000;
/** What a node takes in one piece is 64 KiB. */
const MOST_BYTES = 60_000;
/** An outage is told at once, but not more often than that. */
const HURRY_MS = 200;
/** Reports in a row: a day without the node is 87 of one target. */
const MOST_IN_A_ROW = 100;

export class ProbeSpool {
  readonly #options: SpoolOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<boolean> | undefined;
  #pauseMs = PAUSE_MS;
  #trouble = "";
  #isClosed = false;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#arm(PAUSE_MS);
  }

  /** Something that should not wait. */
  hurry(): void {
    if (this.#trouble === "" && this.#running === undefined) this.#arm(HURRY_MS);
  }

  /** True: the node has everything. Waits for what is under way. */
  async flush(): Promise<boolean> {
    await this.#running;
    this.#running ??= this.#deliverAll();
    const isDone = await this.#running;
    this.#running = undefined;
    return isDone;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #arm(afterMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.flush().then((isDone) => {
        this.#pauseMs = isDone ? PAUSE_MS : Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
        this.#arm(this.#pauseMs);
      });
    }, afterMs);
  }

  async #deliverAll(): Promise<boolean> {
    try {
      return await this.#deliverEach();
    } catch (error) {
      if (this.#isClosed) return false;
      // A full disk must not end the watching. What was delivered comes again, and counts once there.
      return this.#failed(`the record cannot be used: ${(error as Error).message}`);
    }
  }

  async #deliverEach(): Promise<boolean> {
    const { store, to, probe, service, nowMs } = this.#options;
    for (let i = 0; i < MOST_IN_A_ROW; i++) {
      const waiting = bounded(store.waiting(MOST_BUCKETS, MOST_OUTAGES));
      if (waiting === undefined) return this.#succeeded();
      const report: ProbeReport = {
        probe,
        ...waiting,
        ...(service === undefined ? {} : { service }),
        sentMs: nowMs(),
      };
      const outcome = await deliver(to, JSON.stringify(report));
      if (!outcome.ok && !outcome.isFinal) {
        return this.#failed(
          `${to.url.host} cannot be told: ${outcome.reason}; it is kept for later`,
        );
      }
      if (!outcome.ok) {
        this.#options.onTrouble(`${to.url.host} will not take a report: ${outcome.reason}`);
      }
      store.delivered(waiting);
    }
    return true;
  }

  #succeeded(): true {
    if (this.#trouble !== "") this.#options.onTrouble(`${this.#options.to.url.host} has it all`);
    this.#trouble = "";
    return true;
  }

  /** Told once for each kind of trouble. */
  #failed(text: string): false {
    if (text !== this.#trouble) this.#options.onTrouble(text);
    this.#trouble = text;
    return false;
  }
}

/** Fewer of both, until they fit; the rest comes with the next one. */
function bounded(waiting: Waiting | undefined): Waiting | undefined {
  let fits = waiting;
  while (
    fits !== undefined &&
    fits.buckets.length + fits.outages.length > 2 &&
    Buffer.byteLength(JSON.stringify(fits)) > MOST_BYTES
  ) {
    fits = { ...fits, buckets: half(fits.buckets), outages: half(fits.outages) };
  }
  return fits;
}

function half<T>(list: readonly T[]): readonly T[] {
  return list.slice(0, Math.ceil(list.length / 2));
}
