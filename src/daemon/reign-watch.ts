/**
 * Sees that the vrrp process is master of something and has stopped renewing it, while there is
 * still enough of the lease for a successor to go on in it.
 *
 * The process's own notes are looked at, not answers to questions: a late look still sees what
 * was done in time. The second look tells a process that hangs from a machine that stood still,
 * and one that waits for a CPU is not replaced by another that would wait as well. Where the lease is
 * too short for that, only what the kernel vouches for counts: the process is stopped, or being
 * taken apart, which takes the kernel longer than such a lease lasts.
 */

import { readFileSync } from "node:fs";
import type { InstanceSettings } from "../core/vrrp/settings.ts";
import { Alarm } from "../drivers/alarm.ts";
import { onBeat } from "../drivers/beat.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { ReignReader, type WrittenReign } from "../drivers/reign-record.ts";

/** Of the time between the moment at which the next advert is due and the end of the lease. */
const SUSPECT_SHARE = 1 / 6;
const LOOK_AGAIN_SHARE = 1 / 12;
/**
 * From the order to kill until the spare has renewed it takes 9 to 14 ms, and the kernel may end a lease
 * 4 ms early. With less than a multiple of that a wrong suspicion could cost the address.
 */
const SUCCESSION_MS = 40;
/** With a shorter lease: how late an advert is when the kernel is asked, and how long until it is asked again. */
const LATE_MS = 1;
const ASK_AGAIN_MS = 2;
const LOOK_AT_LEAST_EVERY_MS = 1_000;
/** Of the flags in `/proc/PID/stat`: it is being taken apart. */
const PF_EXITING = 0x4;

export interface Silence {
  readonly instance: string;
  readonly silentMs: number;
  readonly leaseMs: number;
  /** What the kernel says of the process. */
  readonly because?: Vouched;
}

type Vouched = "is stopped" | "is dead";

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
  readonly #alarm: Alarm;
  readonly #stopBeat: () => void;
  readonly #childNews = (): void => this.#look(true);
  #isOver = false;
  /** Monotonic ms: since when it was seen to be stopped. */
  #stoppedMs: number | undefined;
  #instances: readonly InstanceSettings[] = [];
  #adverts: ReadonlyMap<string, number> = new Map();

  /** Looks until `close`, or until it has told once. */
  constructor(pid: number, options: ReignWatchOptions) {
    this.#pid = pid;
    this.#options = options;
    this.#reader = new ReignReader(options.directory);
    // Of the shortest leases a timer that counts whole ms would waste a tenth.
    this.#alarm = new Alarm(() => setImmediate(() => this.#look()));
    // While nobody is master it looks with all else that is done each second.
    this.#stopBeat = onBeat(() => this.#look(), LOOK_AT_LEAST_EVERY_MS);
    // The kernel tells a parent of children that are stopped as well.
    process.on("SIGCHLD", this.#childNews);
    this.#look();
  }

  close(): void {
    this.#isOver = true;
    process.off("SIGCHLD", this.#childNews);
    this.#alarm.close();
    this.#stopBeat();
    this.#reader.close();
  }

  #look(isChildNews = false): void {
    if (this.#isOver) return;
    const now = monotonicMs();
    const reigns = this.#reader.read();
    const instances = this.#options.instances();
    if (instances !== this.#instances) {
      this.#instances = instances;
      this.#adverts = new Map(instances.map((i) => [i.name, i.downTimerAdverts]));
    }
    const silence = this.#suspicion.look(now, reigns, this.#adverts);
    const { hasty, isHastyLate, lookAtMs } = this.#suspicion;
    // Nothing to hasten any more: a stop that was seen is forgotten, or we would go on asking.
    if (hasty === undefined) this.#stoppedMs = undefined;
    const isAsked = isHastyLate || isChildNews || this.#stoppedMs !== undefined;
    const because = hasty !== undefined && isAsked ? this.#vouched(now) : undefined;
    if (hasty !== undefined && because !== undefined) {
      const { instance, durationMs: leaseMs, renewedMs } = hasty;
      return this.#tell({ instance, leaseMs, silentMs: now - renewedMs, because });
    }
    if (silence !== undefined && conditionOf(this.#pid) !== "ready") return this.#tell(silence);
    const isStopped = this.#stoppedMs !== undefined;
    this.#alarm.set(isStopped ? Math.min(lookAtMs, now + ASK_AGAIN_MS) : lookAtMs);
  }

  #tell(silence: Silence): void {
    this.#isOver = true;
    this.#options.silent(silence);
  }

  /** That it was stopped is believed at the second look: some are only for a moment. */
  #vouched(now: number): Vouched | undefined {
    const condition = conditionOf(this.#pid);
    const stoppedMs = condition === "stopped" ? (this.#stoppedMs ?? now) : undefined;
    this.#stoppedMs = stoppedMs;
    if (condition === "dead") return "is dead";
    return stoppedMs !== undefined && now - stoppedMs >= ASK_AGAIN_MS ? "is stopped" : undefined;
  }
}

/** What the looks amount to: time and notes in, a silence out when it was seen twice. */
export class Suspicion {
  /** Monotonic ms of the next look. */
  lookAtMs: number;
  /** A reign with a lease too short for a second look, and whether its renewal is late. */
  hasty: WrittenReign | undefined;
  isHastyLate = false;
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
    this.hasty = undefined;
    this.isHastyLate = false;
    for (const reign of reigns) {
      if (reign.renewedMs < this.#sinceMs || now >= reign.leaseUntilMs) continue;
      const downTimerAdverts = adverts.get(reign.instance);
      if (downTimerAdverts === undefined) continue;
      const intervalMs = reign.durationMs / downTimerAdverts;
      const patience = patienceOf(reign, intervalMs);
      if (patience === undefined) {
        this.#hasten(now, reign, intervalMs);
        continue;
      }
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

  #hasten(now: number, reign: WrittenReign, intervalMs: number): void {
    const lateAtMs = reign.renewedMs + intervalMs + LATE_MS;
    const isLate = now >= lateAtMs;
    this.lookAtMs = Math.min(this.lookAtMs, isLate ? now + ASK_AGAIN_MS : lateAtMs);
    if (this.hasty === undefined || isLate) this.hasty = reign;
    this.isHastyLate ||= isLate;
  }
}

/** Undefined: no successor would be in time. */
function patienceOf(
  { renewedMs, durationMs }: WrittenReign,
  intervalMs: number,
): { readonly suspectAtMs: number; readonly graceMs: number } | undefined {
  const spareMs = durationMs - intervalMs;
  const graceMs = spareMs * LOOK_AGAIN_SHARE;
  const suspectMs = intervalMs + spareMs * SUSPECT_SHARE;
  if (durationMs - suspectMs - graceMs < SUCCESSION_MS) return undefined;
  return { suspectAtMs: renewedMs + suspectMs, graceMs };
}

type Condition = "ready" | "waiting" | "stopped" | "dead";

function conditionOf(pid: number): Condition {
  try {
    return conditionIn(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return isGone(pid) ? "dead" : "ready";
  }
}

/** That its state cannot be read says nothing: we may be the one that has no descriptor left. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** `stat`: of a process. Who is ready to run and does not get to would be followed by one that does not either. */
export function conditionIn(stat: string): Condition {
  const [state = "", _parent, _group, _session, _terminal, _owner, flags] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ");
  // One that was killed is ready or waits as any other until all of its memory is given back.
  if ("ZX".includes(state) || (Number(flags) & PF_EXITING) !== 0) return "dead";
  // Lower case: stopped by a debugger, which is somebody's own doing.
  if (state === "T") return "stopped";
  return state === "R" ? "ready" : "waiting";
}
