/**
 * What single servers got, a minute at a time: asked for once a minute, because a thousand servers are
 * more than what is worth asking for each second. Nobody waits for it and nothing is judged by it; the
 * minute in which this process began is not known.
 */

import type { DatabaseSync } from "node:sqlite";
import { MINUTE_MS, minutesOf, spread, type Measurement } from "../core/journal/measurement.ts";
import { Tally } from "../core/journal/tally.ts";
import { wallMs } from "../drivers/clock.ts";
import type { OldRows } from "../drivers/journal-store.ts";
import type { LookQuery, MeasurementQuery } from "../drivers/measure-store.ts";
import { ServerMeasureStore } from "../drivers/server-measure-store.ts";
import type { TrafficLook } from "../daemon/control-api.ts";
import type { ControlWatch } from "./control-watch.ts";

/** That there was a look is written down as well: no request is not the same as no knowledge. */
export const LOOKS = "looks";
/** Servers whose minutes are kept; of more, those that come first by name. */
const MAX_SERVERS = 5_000;
/** After a longer pause what was counted is spread over it. */
const LATE_MS = 90_000;
const LONGEST_GAP_MS = 86_400_000;

interface ServerMinutesControl {
  readonly client: Pick<ControlWatch["client"], "serverTraffic">;
}

export class ServerMinutes {
  readonly #control: ServerMinutesControl;
  readonly #now: () => number;
  #tally = new Tally();
  #store: ServerMeasureStore | undefined;
  #lookedMs: number | undefined;
  #isLooking = false;

  /** `now`: Unix ms. */
  constructor(control: ServerMinutesControl, now: () => number = wallMs) {
    this.#control = control;
    this.#now = now;
  }

  /** The journal's file, also a new one after it broke. */
  open(database: DatabaseSync): void {
    this.#store = new ServerMeasureStore(database);
  }

  /** What shares the file with the journal. */
  get rows(): readonly OldRows[] {
    return this.#store === undefined ? [] : [this.#store];
  }

  find(query: MeasurementQuery): readonly Measurement[] {
    return this.#store?.find(query) ?? [];
  }

  looked(query: LookQuery): readonly Pick<Measurement, "fromMs" | "lengthMs">[] {
    return this.#store?.looked({ ...query, subject: LOOKS }) ?? [];
  }

  /** Each minute's end. What a disk does not take is lost: it is a picture, no evidence. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      this.#count(await this.#control.client.serverTraffic());
    } catch {
      // Nobody answers: the next look tells what was counted meanwhile.
    } finally {
      this.#isLooking = false;
    }
  }

  /** True: there is more of it to be done. */
  rollUp(): boolean {
    return this.#store?.rollUp(this.#now()) ?? false;
  }

  #count({ processes }: TrafficLook): void {
    const now = this.#now();
    const before = this.#lookedMs;
    this.#lookedMs = now;
    this.#tally.look(processes, now);
    // Where the counters stood before nobody knows, or not when: a clock that was set.
    const isKnown = before !== undefined && now > before && now - before < LONGEST_GAP_MS;
    if (isKnown && now - before < LATE_MS) this.#tally.held(LOOKS);
    const fromMs = Math.floor((before ?? now) / MINUTE_MS) * MINUTE_MS;
    const counted = this.#tally.take(() => "balancer", fromMs, MINUTE_MS);
    if (!isKnown) return;
    const kept = counted.toSorted((a, b) => (a.subject < b.subject ? -1 : 1)).slice(0, MAX_SERVERS);
    const isLate = now - before >= LATE_MS;
    this.#store?.add(isLate ? minutesOf(kept.flatMap((one) => spread(one, before, now))) : kept);
  }
}
