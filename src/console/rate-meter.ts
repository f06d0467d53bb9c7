/** Speeds from counters: requests and errors a second over the last few looks. */

import type { CounterName } from "../core/proxy/traffic.ts";
import type { TrafficNumbers } from "../daemon/balance-status.ts";
import type { NodeStatus } from "../daemon/control-api.ts";

export interface Rate {
  readonly requests: number;
  readonly errors: number;
}

const NOTHING: Rate = { requests: 0, errors: 0 };
/** Long enough to be calm, short enough to see a switch. */
const WINDOW_MS = 5_000;
/** Looks that are kept. */
const MAX_LOOKS = 16;

/** What a client would call an error: answers of 500 and above, of ours too. */
const FRONTEND_ERRORS: readonly CounterName[] = ["serverError"];
/** At a server also what never became an answer. */
const SERVER_ERRORS: readonly CounterName[] = [
  "serverError",
  "connectErrors",
  "answerErrors",
  "timeouts",
];

interface Look {
  readonly atMs: number;
  readonly counts: ReadonlyMap<string, Rate>;
}

export class RateMeter {
  #looks: Look[] = [];
  #rates: ReadonlyMap<string, Rate> = new Map();

  /** `atMs`: monotonic. */
  look({ balance }: Pick<NodeStatus, "balance">, atMs: number): void {
    const counts = new Map<string, Rate>();
    const note = (key: string, traffic: TrafficNumbers, errors: readonly CounterName[]): void => {
      counts.set(key, {
        requests: traffic.counts.requests,
        errors: errors.reduce((sum, name) => sum + traffic.counts[name], 0),
      });
    };
    for (const one of balance?.frontends ?? []) {
      note(`frontend ${one.name}`, one.traffic, FRONTEND_ERRORS);
    }
    for (const pool of balance?.pools ?? []) {
      note(`pool ${pool.name}`, pool.traffic, FRONTEND_ERRORS);
      for (const server of pool.servers) {
        note(`server ${pool.name}/${server.name}`, server.traffic, SERVER_ERRORS);
      }
    }
    this.#looks.push({ atMs, counts });
    while (this.#looks.length > 2 && this.#isSpare(atMs)) this.#looks.shift();
    this.#rates = this.#measured();
  }

  /** `frontend NAME`, `pool NAME` or `server POOL/NAME`. */
  of(key: string): Rate {
    return this.#rates.get(key) ?? NOTHING;
  }

  #isSpare(nowMs: number): boolean {
    return this.#looks.length > MAX_LOOKS || nowMs - this.#looks[1]!.atMs >= WINDOW_MS;
  }

  #measured(): ReadonlyMap<string, Rate> {
    const [first] = this.#looks;
    const last = this.#looks.at(-1);
    const rates = new Map<string, Rate>();
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return rates;
    const seconds = (last.atMs - first.atMs) / 1000;
    for (const [key, now] of last.counts) {
      const before = first.counts.get(key);
      // A counter that went back belongs to another life of the control process.
      if (before === undefined || before.requests > now.requests) continue;
      rates.set(key, {
        requests: rounded((now.requests - before.requests) / seconds),
        errors: rounded(Math.max(0, now.errors - before.errors) / seconds),
      });
    }
    return rates;
  }
}

/** Three digits: finer is noise, and every change is sent to every reader. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
