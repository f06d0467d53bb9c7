/**
 * Measures what users got, as the balancer saw it, and which addresses this node held: looks every
 * second, keeps spans of ten seconds. The counters are differenced per worker, so that workers
 * may come, go and be killed. While control does not answer nothing is measured.
 */

import { BUCKET_MS, MINUTE_MS, spread, type Measurement } from "../core/journal/measurement.ts";
import { Tally } from "../core/journal/tally.ts";
import { onBeat } from "../drivers/beat.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import {
  type KeptLook,
  type LookQuery,
  MeasureStore,
  type MeasurementQuery,
} from "../drivers/measure-store.ts";
import type { LoggedEvent, NodeStatus, TrafficLook } from "../daemon/control-api.ts";
import type { ControlWatch } from "./control-watch.ts";
import type { Journal } from "./journal.ts";
import { LOOKS, ServerMinutes } from "./server-minutes.ts";
import { slowRules } from "./service-measures.ts";

const LOOK_EVERY_MS = 1_000;
const ASK_HOLDERS_MS = 60_000;
/** How often control is asked that counts nothing, and that has nothing to count before it is configured anew. */
const LOOK_IDLY_MS = 60_000;
/** Old spans become minutes: a little at a time. */
const ROLL_EVERY_MS = 60_000;
/** Who looks again after more than that does not know when it was. */
const LONGEST_GAP_MS = 86_400_000;
const NOBODY: TrafficLook = { processes: [] };
/** Spans that wait for a disk. */
const MAX_UNSAVED = 2_000;

type Control = Pick<ControlWatch, "client" | "isReachable" | "service" | "status">;
type Told = Pick<NodeStatus, "router" | "routerAgeMs" | "wallMs">;
type Listener = (measurements: readonly Measurement[]) => void;

export class Measures {
  readonly #control: Control;
  readonly #boot: string;
  #tally = new Tally();
  /** When somebody before us looked last; until our own first look. */
  #resumedMs: number | undefined;
  readonly #listeners = new Set<Listener>();
  readonly #ends: (() => void)[];
  readonly #held = new Set<string>();
  readonly #servers: ServerMinutes;
  #isLooking = false;
  #isClosed = false;
  #askedMs = -Infinity;
  /** The last change of who holds what; by the clock that nobody sets. */
  #changedMs = -Infinity;
  /** When control said that nobody counts anything. */
  #nobodyMs = -Infinity;
  #store: MeasureStore | undefined;
  #keptMs: number | undefined;
  #unsaved: Measurement[] = [];
  #rollsOn: NodeJS.Timeout | undefined;
  #bucket = Math.floor(wallMs() / BUCKET_MS);

  constructor(control: Control, journal: Pick<Journal, "onOpen" | "share">, boot: string) {
    this.#control = control;
    this.#boot = boot;
    this.#servers = new ServerMinutes(control);
    journal.onOpen((database) => {
      const isFirst = this.#store === undefined;
      this.#store = new MeasureStore(database);
      this.#servers.open(database);
      if (isFirst) this.#resume(this.#store.look);
    });
    journal.share(() => [
      ...(this.#store === undefined ? [] : [this.#store]),
      ...this.#servers.rows,
    ]);
    this.#ends = [onBeat(() => this.#roll(), ROLL_EVERY_MS)];
  }

  /** Each whole span once, after it was written (or the disk refused). */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Oldest first; `server POOL/SERVER` in minutes and hours. Empty while the file cannot be read. */
  find(query: MeasurementQuery): readonly Measurement[] {
    try {
      if (query.subject.startsWith("server ")) return this.#servers.find(query);
      return this.#store?.find(query) ?? [];
    } catch {
      return [];
    }
  }

  /** When the balancer's counters were looked at, whatever they said of the subject. */
  looked(query: LookQuery): readonly Pick<Measurement, "fromMs" | "lengthMs">[] {
    try {
      if (query.subject.startsWith("server ")) return this.#servers.looked(query);
      return this.#store?.looked({ ...query, subject: LOOKS }) ?? [];
    } catch {
      return [];
    }
  }

  /** An event of control: who holds what changes by these. */
  heard({ kind, instance, to }: Pick<LoggedEvent, "kind" | "instance" | "to">): void {
    if (kind !== "state-changed") return;
    this.#changedMs = monotonicMs();
    if (to === "MASTER") this.#held.add(subjectOf(instance));
    else this.#held.delete(subjectOf(instance));
  }

  /** From elsewhere: a probe's report. Whole spans of its own vantage. */
  add(measurements: readonly Measurement[]): void {
    this.#unsaved.push(...measurements);
    this.#save();
    if (measurements.length === 0) return;
    for (const listener of this.#listeners) listener(measurements);
  }

  /** Until `close`. */
  run(): void {
    this.#ends.push(onBeat(() => this.#look(), LOOK_EVERY_MS));
    this.#look();
  }

  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends) end();
    this.#finish(this.#bucket);
  }

  #look(): void {
    if (this.#isLooking) return;
    if (this.#isIdle && !this.#wantsHolders) return this.#count(NOBODY);
    this.#isLooking = true;
    void this.#ask().finally(() => (this.#isLooking = false));
  }

  get #wantsHolders(): boolean {
    return monotonicMs() - this.#askedMs > ASK_HOLDERS_MS;
  }

  async #ask(): Promise<void> {
    let look: TrafficLook;
    try {
      if (this.#wantsHolders) await this.#control.status();
      look = this.#isIdle ? NOBODY : await this.#control.client.traffic();
    } catch {
      return;
    }
    if (this.#isClosed) return;
    if (look !== NOBODY) this.#nobodyMs = look.processes.length === 0 ? monotonicMs() : -Infinity;
    this.#count(look);
  }

  #count(look: TrafficLook): void {
    const now = wallMs();
    const bucket = Math.floor(now / BUCKET_MS);
    // What was counted up to here mostly happened in the span that ends here.
    this.#tally.look(look.processes, now);
    this.#caughtUp(now);
    this.#tally.held(LOOKS);
    for (const subject of this.#held) this.#tally.held(subject);
    if (bucket !== this.#bucket) this.#finish(bucket);
  }

  /** To ask costs both processes more than all the rest of a second on a node that only holds addresses. */
  get #isIdle(): boolean {
    const balances = (this.#control.service?.balance.frontends.length ?? 1) > 0;
    // Who is not asked cannot fail to answer: that control is gone the end of its events tells.
    const isTrusted = !balances && this.#control.isReachable;
    return isTrusted && monotonicMs() - this.#nobodyMs < LOOK_IDLY_MS;
  }

  /** Counters went on while this process did not. */
  #resume(kept: KeptLook | undefined): void {
    const ageMs = wallMs() - (kept?.wallMs ?? -Infinity);
    // A clock that was set says nothing about how long that was.
    if (kept?.boot !== this.#boot || ageMs < 0 || ageMs > LONGEST_GAP_MS) return;
    this.#tally = new Tally(kept.state);
    this.#resumedMs = kept.wallMs;
  }

  #caughtUp(now: number): void {
    const fromMs = this.#resumedMs;
    this.#resumedMs = undefined;
    if (fromMs === undefined) return;
    const whole = this.#tally.take(() => "balancer", fromMs, BUCKET_MS);
    this.add(whole.flatMap((one) => spread(one, fromMs, now)));
  }

  /** What control said to anybody here: the vrrp process has better things to do than to describe itself. */
  told({ router, routerAgeMs, wallMs: saidMs }: Told): void {
    // What happened since then is known better.
    const ageMs = routerAgeMs + Math.max(0, wallMs() - saidMs);
    if (monotonicMs() - ageMs <= this.#changedMs) return;
    this.#askedMs = monotonicMs();
    if (router === undefined) return;
    this.#held.clear();
    for (const { name, state } of router.instances) {
      if (state === "MASTER") this.#held.add(subjectOf(name));
    }
  }

  #finish(next: number): void {
    const fromMs = this.#bucket * BUCKET_MS;
    this.#bucket = next;
    if (minuteOf(next) !== minuteOf(fromMs / BUCKET_MS)) void this.#servers.look();
    const vantageOf = (subject: string): string =>
      subject.startsWith("instance ") ? "vrrp" : "balancer";
    this.#keptMs = wallMs();
    this.add(this.#tally.take(vantageOf, fromMs, BUCKET_MS));
  }

  #save(): void {
    try {
      const { state } = this.#tally;
      // Only when all that was counted is in the spans: at their ends.
      const isEnd = this.#keptMs !== undefined && state !== undefined;
      const look = isEnd ? { wallMs: this.#keptMs!, boot: this.#boot, state } : undefined;
      this.#store?.add(this.#unsaved, look);
      this.#keptMs = undefined;
      if (this.#store !== undefined) this.#unsaved = [];
    } catch {
      // The journal says that the disk does not take anything; these wait with it.
    }
    if (this.#unsaved.length > MAX_UNSAVED)
      this.#unsaved.splice(0, this.#unsaved.length - MAX_UNSAVED);
  }

  #roll(): void {
    // Which spans were too slow for somebody only the configuration tells.
    const services = this.#control.service?.ledger.services;
    if (services === undefined) return;
    // One chain of calls: each minute would begin one more.
    clearTimeout(this.#rollsOn);
    try {
      const isMore = this.#store?.rollUp(wallMs(), services.flatMap(slowRules)) === true;
      if (this.#servers.rollUp() || isMore)
        this.#rollsOn = setTimeout(() => this.#roll(), 100).unref();
    } catch {
      // As above; the next time.
    }
  }
}

function subjectOf(instance: string): string {
  return `instance ${instance}`;
}

function minuteOf(bucket: number): number {
  return Math.floor((bucket * BUCKET_MS) / MINUTE_MS);
}
