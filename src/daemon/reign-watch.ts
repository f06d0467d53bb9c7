/**
 * Sees that the vrrp process is master of something and has stopped renewing it, while there is
 * still enough of the lease for a successor to go on in it.
 *
 * The process's own notes are looked at, not answers to questions: a late look still sees what
 * was done in time. The second look tells a process that hangs from a machine that stood still,
 * and one that waits for a CPU is not replaced by another that would wait as well.
 */

import { readFileSync } from "node:fs";
import type { InstanceSettings } from "../core/vrrp/settings.ts";
import { untilBeatMs } from "../drivers/beat.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { ReignReader, type WrittenReign } from "../drivers/reign-record.ts";

/** Of the time between the moment at which the next advert is due and the end of the lease. */
const SUSPECT_SHARE = 1 / 6;
const LOOK_AGAIN_SHARE = 1 / 12;
/** From the order to kill until the spare has renewed; with less than that nothing can be won. */
const SUCCESSION_MS = 100;
const SHORTEST_LOOK_MS = 5;

export interface Silence {
  readonly instance: string;
  readonly silentMs: number;
  readonly leaseMs: number;
}

export interface ReignWatchOptions {
  readonly directory: string;
  readonly instances: () => readonly InstanceSettings[];
  readonly silent: (silence: Silence) => void;
}

export class ReignWatch {
  readonly #options: ReignWatchOptions;
  readonly #pid: number;
  readonly #reader: ReignReader;
  readonly #suspicion = new Suspicion(monotonicMs());
  #timer: NodeJS.Timeout | undefined;
  #instances: readonly InstanceSettings[] = [];
  #adverts: ReadonlyMap<string, number> = new Map();

  /** Looks until `close`, or until it has told once. */
  constructor(pid: number, options: ReignWatchOptions) {
    this.#pid = pid;
    this.#options = options;
    this.#reader = new ReignReader(options.directory);
    this.#lookIn(0);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#reader.close();
  }

  #lookIn(ms: number): void {
    // Timers count whole ms and may be a fraction early.
    const whole = Math.min(untilBeatMs(), Math.ceil(Math.max(SHORTEST_LOOK_MS, ms)) + 1);
    // While nobody is master it looks with all else that is done each second.
    this.#timer = setTimeout(() => this.#look(), whole).unref();
  }

  #look(): void {
    const now = monotonicMs();
    const reigns = this.#reader.read();
    const instances = this.#options.instances();
    if (instances !== this.#instances) {
      this.#instances = instances;
      this.#adverts = new Map(instances.map((i) => [i.name, i.downTimerAdverts]));
    }
    const silence = this.#suspicion.look(now, reigns, this.#adverts);
    if (silence !== undefined && !isWaitingForCpu(this.#pid)) return this.#options.silent(silence);
    this.#lookIn(this.#suspicion.lookAtMs - now);
  }
}

/** What the looks amount to: time and notes in, a silence out when it was seen twice. */
export class Suspicion {
  /** Monotonic ms of the next look. */
  lookAtMs: number;
  /** What was renewed before is another process's reign. */
  readonly #sinceMs: number;
  #suspected: { readonly reign: WrittenReign; readonly graceMs: number } | undefined;

  constructor(sinceMs: number) {
    this.#sinceMs = sinceMs;
    this.lookAtMs = sinceMs;
  }

  /** `adverts`: `down_timer_adverts` of each instance. */
  look(
    now: number,
    reigns: readonly WrittenReign[],
    adverts: ReadonlyMap<string, number>,
  ): Silence | undefined {
    const before = this.#suspected;
    const late = now - this.lookAtMs;
    this.#suspected = undefined;
    this.lookAtMs = Infinity;
    for (const reign of reigns) {
      if (reign.renewedMs < this.#sinceMs || now >= reign.leaseUntilMs) continue;
      const patience = patienceOf(reign, adverts.get(reign.instance));
      if (patience === undefined) continue;
      const { suspectAtMs, graceMs } = patience;
      if (now < suspectAtMs) {
        this.lookAtMs = Math.min(this.lookAtMs, suspectAtMs);
        continue;
      }
      const same =
        before?.reign.instance === reign.instance && before.reign.renewedMs === reign.renewedMs;
      // Somebody looked in between, which says nothing: the look that was meant still comes.
      if (same && late < 0) {
        this.#suspected = before;
        this.lookAtMs = Math.min(this.lookAtMs, now - late);
        continue;
      }
      // Looked at before, and again in time: we at least have been running meanwhile.
      if (same && late <= graceMs) {
        const { instance, durationMs: leaseMs, renewedMs } = reign;
        this.lookAtMs = now + graceMs;
        this.#suspected = { reign, graceMs };
        return { instance, leaseMs, silentMs: now - renewedMs };
      }
      if (this.#suspected === undefined || graceMs < this.#suspected.graceMs) {
        this.#suspected = { reign, graceMs };
      }
      this.lookAtMs = Math.min(this.lookAtMs, now + graceMs);
    }
    return undefined;
  }
}

/** Undefined: no successor would be in time. */
function patienceOf(
  { renewedMs, durationMs }: WrittenReign,
  downTimerAdverts: number | undefined,
): { readonly suspectAtMs: number; readonly graceMs: number } | undefined {
  if (downTimerAdverts === undefined) return undefined;
  const intervalMs = durationMs / downTimerAdverts;
  const spareMs = durationMs - intervalMs;
  const graceMs = spareMs * LOOK_AGAIN_SHARE;
  const suspectMs = intervalMs + spareMs * SUSPECT_SHARE;
  if (durationMs - suspectMs - graceMs < SUCCESSION_MS) return undefined;
  return { suspectAtMs: renewedMs + suspectMs, graceMs };
}

/** Ready to run, but does not get to: neither would another. */
function isWaitingForCpu(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("R");
  } catch {
    return false;
  }
}
