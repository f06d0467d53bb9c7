/** Adverts as the client hears them: when to strike, and what a silence is counted from. */

import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { measureOutage, type ProbeRecord } from "../src/core/drill/probe-record.ts";
import { monotonicMs } from "../src/drivers/clock.ts";
import type { Host } from "../src/lab/host.ts";
import { pause, waitFor } from "../src/lab/wait.ts";

export interface HeardAdvert {
  readonly source: string;
  /** Monotonic. */
  readonly atMs: number;
}

/** `setTimeout` may be that late: the rest is waited for without letting go. */
const TIMER_MS = 2;
/** A strike that is due sooner than that belongs to the next advert. */
const SOONEST_MS = 0.5;
const ADVERT_TIMEOUT_MS = 30_000;

export class AdvertWatch {
  readonly #heard: HeardAdvert[] = [];

  /** Listens in a process of its own, inside the host. */
  static async start(host: Host): Promise<AdvertWatch> {
    const script = fileURLToPath(new URL("advert-listener.ts", import.meta.url));
    const argv = [process.execPath, script, host.interface().name];
    const listener = await host.start(argv, { name: "advert-listener", talk: true });
    const watch = new AdvertWatch();
    createInterface({ input: listener.stdout! }).on("line", (line) => {
      const [source = "", at] = line.split(" ");
      watch.#heard.push({ source, atMs: Number(at) });
    });
    return watch;
  }

  get heard(): readonly HeardAdvert[] {
    return this.#heard;
  }

  /**
   * Resolves `leadMs` before the middle between two adverts of whoever sends them: that is how long
   * the fault takes from its order to its effect.
   */
  async untilHalfway(intervalMs: number, leadMs: number): Promise<void> {
    const known = this.#heard.length;
    const isNews = (): boolean => this.#heard.length > known;
    await waitFor(isNews, ADVERT_TIMEOUT_MS, "an advert");
    const at = halfway(this.#heard.at(-1)!.atMs, intervalMs, monotonicMs() + leadMs) - leadMs;
    await pause(Math.max(0, at - monotonicMs() - TIMER_MS));
    while (monotonicMs() < at);
  }
}

/** The first middle between two adverts, one of which was at `advertMs`, that is after `now`. */
export function halfway(advertMs: number, intervalMs: number, now: number): number {
  const first = advertMs + intervalMs / 2;
  const missed = Math.ceil((now + SOONEST_MS - first) / intervalMs);
  return first + Math.max(0, missed) * intervalMs;
}

/**
 * From the last advert of the one that had answered to the first answer of the one that took over, ms:
 * what does not depend on the moment of the fault. Undefined when nobody else answered.
 */
export function sinceLastAdvertMs(
  record: ProbeRecord,
  faultMs: number,
  sent: (answerer: string) => readonly number[],
): number | undefined {
  const { takeoverMs, before } = measureOutage(record, faultMs);
  if (takeoverMs === undefined || before === undefined) return undefined;
  const answeredMs = faultMs + takeoverMs;
  const last = sent(before).findLast((atMs) => atMs <= answeredMs);
  return last === undefined ? undefined : answeredMs - last;
}
