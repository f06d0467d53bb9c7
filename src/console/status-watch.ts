/** Looks at control again and again, and remembers the last that it said: also when it is gone. */

import { setTimeout as sleep } from "node:timers/promises";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import type { NodeStatus } from "../daemon/control-api.ts";
import type { Source } from "./api.ts";
import { nodePart, SteadyMoments, type NodePart } from "./node-part.ts";
import { RateMeter } from "./rate-meter.ts";

/** While somebody looks, while somebody asks now and then, and else: what happens comes without asking. */
const FAST_MS = 1_000;
const CALM_MS = 3_000;
const IDLE_MS = 60_000;
/** Who asked within that time may ask again. */
const ASKED_FOR_MS = 10_000;
/** Something happened: the numbers follow, but not each of a thousand events at once. */
const SOON_MS = 60;
const ASKING_MS = 5;
/** Without an answer for that long, or for that much longer than was meant, the numbers are old. */
const STALE_AFTER_MS = 3_500;
const OVERDUE_MS = 500;

export interface StatusWatchOptions {
  readonly ask: () => Promise<NodeStatus>;
  readonly node: () => string;
  readonly lastSeq: () => number;
  readonly isWatched: () => boolean;
  /** After every look, also one that failed. */
  readonly looked: () => void;
}

export class StatusWatch {
  readonly #options: StatusWatchOptions;
  readonly #meter = new RateMeter();
  readonly #moments = new SteadyMoments();
  #status: NodeStatus | undefined;
  #part: NodePart | undefined;
  #answeredMs = -Infinity;
  #askedForMs = -Infinity;
  /** Between the last look and the next one. */
  #everyMs = CALM_MS;
  #trouble = "it has not been asked yet";
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;
  #isAsking = false;
  #isClosed = false;

  constructor(options: StatusWatchOptions) {
    this.#options = options;
    this.#next(0);
  }

  get status(): NodeStatus | undefined {
    return this.#status;
  }

  /** This node as the others may know it; undefined: control has never answered. */
  get part(): NodePart | undefined {
    if (this.#part === undefined) return undefined;
    const { node, lastSeq } = this.#options;
    const fresh = { node: node(), source: this.source, nowMs: wallMs(), lastSeq: lastSeq() };
    return { ...this.#part, ...fresh };
  }

  get source(): Source {
    const ageMs = monotonicMs() - this.#answeredMs;
    const limitMs = Math.max(STALE_AFTER_MS, this.#everyMs + OVERDUE_MS);
    const isLive = ageMs <= limitMs && this.#trouble === "";
    if (isLive) return { state: "live", ageMs: 0, reason: "the control process answers" };
    const reason = this.#trouble === "" ? "it does not answer" : this.#trouble;
    const age = Number.isFinite(ageMs) ? Math.round(ageMs) : 0;
    return { state: "stale", ageMs: age, reason: `the control process: ${reason}` };
  }

  /** Asks now, for decisions that must not rest on what was so three seconds ago. */
  async fresh(): Promise<void> {
    const hasWaited = sleep(STALE_AFTER_MS + ASKING_MS, undefined, { ref: false });
    await Promise.race([this.#askAlone(), hasWaited]);
    this.#options.looked();
  }

  async #askAlone(): Promise<void> {
    while (this.#isAsking) await sleep(ASKING_MS);
    this.#isAsking = true;
    await this.#ask();
    this.#isAsking = false;
  }

  /** Somebody wants to know, without waiting for it: how old is what is known? */
  askedFor(): Source {
    this.#askedForMs = monotonicMs();
    // What was answered a moment ago does; for whoever goes on looking, not for long.
    this.#next(Math.max(SOON_MS, CALM_MS - (this.#askedForMs - this.#answeredMs)));
    return this.source;
  }

  /** Something happened. */
  soon(): void {
    this.#next(SOON_MS);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #next(afterMs: number): void {
    const dueMs = monotonicMs() + afterMs;
    if (this.#isClosed || (this.#timer !== undefined && this.#dueMs <= dueMs)) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => void this.#look(), afterMs);
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#everyMs = this.#pace();
    this.#next(this.#everyMs);
    if (!this.#isAsking) {
      this.#isAsking = true;
      await this.#ask();
      this.#isAsking = false;
    }
    if (!this.#isClosed) this.#options.looked();
  }

  #pace(): number {
    if (this.#options.isWatched()) return FAST_MS;
    return monotonicMs() - this.#askedForMs < ASKED_FOR_MS ? CALM_MS : IDLE_MS;
  }

  async #ask(): Promise<void> {
    try {
      const status = await this.#options.ask();
      this.#status = status;
      this.#answeredMs = monotonicMs();
      this.#trouble = "";
      this.#meter.look(status, this.#answeredMs);
      const { node, lastSeq } = this.#options;
      this.#part = nodePart(
        status,
        { meter: this.#meter, moments: this.#moments },
        { node: node(), source: this.source, nowMs: wallMs(), lastSeq: lastSeq() },
      );
      this.#moments.turn();
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : String(error);
    }
  }
}
