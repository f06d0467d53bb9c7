/**
 * One VRRP instance: RFC 9568 section 6.4 (RFC 3768 for version 2) with keepalived's extensions.
 * Here are its parts and its changes of state; `backup.ts` and `master.ts` say what it does while
 * it is in one.
 *
 * The router validates and routes what comes in. Every method takes the turn and appends orders
 * to `turn.out`, in the order in which they must be carried out:
 *   - the lease is renewed before the advert that lets others believe in us that long,
 *   - addresses are released before the advert that tells others to take them.
 */

import { parseIp } from "../../lib/ip-address.ts";
import { AddressGuard } from "./address-guard.ts";
import { AdvertSender } from "./advert-sender.ts";
import { AnnouncePlan } from "./announce-plan.ts";
import { backupTick, heardAsBackup, retract } from "./backup.ts";
import { AcquireBackoff } from "./acquire-backoff.ts";
import { DecisionLog, type Turn } from "./decision-log.ts";
import { heardAsHeir, letLapse, reignOf } from "./heir.ts";
import {
  HOLD_MS,
  type BackupState,
  type HeardMaster,
  type InstanceState,
  backupUntil,
} from "./instance-state.ts";
import {
  addressClaimed,
  addressRemoved,
  heardAsMaster,
  leaseLapsed,
  masterTick,
  splitBrainHealed,
} from "./master.ts";
import type { Advert } from "./packet.ts";
import { PeerTable } from "./peer-table.ts";
import { heardOf } from "./heard-of.ts";
import { decisionInputs, priorityReason } from "./reasons.ts";
import { recover } from "./recovery.ts";
import { sameValue } from "./reload.ts";
import type { RouterAction, RouterEvent, VrrpState } from "./router-ports.ts";
import type { InstanceSettings } from "./settings.ts";
import { Starvation } from "./starvation.ts";
import { noCounters, type InstanceCounters } from "./status.ts";
import { apartMs, masterDownMs, skewMs } from "./timing.ts";
import type { TrackSum } from "./track-sum.ts";

const LOWEST_PRIORITY = 1;
type NotifyAction = Extract<RouterAction, { type: "notify" }>;

export class Instance {
  settings: InstanceSettings;
  state: InstanceState = { kind: "INIT" };
  /** When and why the state is what it is. */
  sinceMs: number = 0;
  reason: string = "starting";
  effectivePriority: number;
  sum: TrackSum | undefined;
  /** The interval of the master in charge (version 3 learns it). */
  activeIntervalMs: number;
  master: HeardMaster | undefined;
  leaseRenewedMs: number = -Infinity;
  /** Until then a lower-priority master is left alone: we gave the addresses away. */
  holdUntilMs: number = -Infinity;
  /** What we send from, in bytes. */
  source: Uint8Array | undefined;
  grouped: boolean;
  readonly plan: AnnouncePlan;
  sender: AdvertSender;
  readonly peers: PeerTable = new PeerTable();
  readonly guard: AddressGuard = new AddressGuard();
  readonly starvation: Starvation = new Starvation();
  readonly log: DecisionLog = new DecisionLog();
  readonly counters: InstanceCounters = noCounters();
  /** Adverts may be lost until then: each wait begins there at the earliest (`vrrp_startup_delay`). */
  readonly notBeforeMs: number;
  readonly #refusals = new AcquireBackoff();
  basePriority: number;
  readonly #renewLease: Extract<RouterAction, { type: "renew-lease" }>;
  sourceText: string = "";

  /** `before`: the sender of the instance whose place this one takes; peers know its numbers. */
  constructor(
    settings: InstanceSettings,
    grouped: boolean,
    notBeforeMs: number,
    before?: AdvertSender,
  ) {
    this.settings = settings;
    this.sender = new AdvertSender(settings, before);
    this.effectivePriority = this.basePriority = settings.priority;
    this.activeIntervalMs = settings.advertIntervalMs;
    this.plan = new AnnouncePlan(settings.announce);
    this.grouped = grouped;
    this.notBeforeMs = notBeforeMs;
    const { name: instance } = settings;
    const { leaseMs: durationMs } = this;
    const heritage = { identity: "", sequence: 0, alone: true };
    this.#renewLease = { type: "renew-lease", instance, durationMs, ...heritage };
  }

  /** Of settings and group, see `Reign`; empty where there is no lease. */
  get identity(): string {
    return this.#renewLease.identity;
  }

  set identity(identity: string) {
    this.#renewLease.identity = identity;
  }

  get deadline(): number {
    if (this.state.kind === "BACKUP") return this.state.downAtMs - this.state.prepareAheadMs;
    if (this.state.kind === "INIT") return this.state.reign?.leaseUntilMs ?? Infinity;
    if (this.state.kind !== "MASTER") return Infinity;
    return Math.min(this.state.advertAtMs, this.plan.deadline, this.guard.deadline);
  }

  /** How long others believe in our last advert at least: the shortest Active_Down_Interval. */
  get leaseMs(): number {
    return this.settings.downTimerAdverts * this.settings.advertIntervalMs;
  }

  get skewMs(): number {
    return skewMs(this.settings.version, this.effectivePriority, this.activeIntervalMs);
  }

  get masterDownMs(): number {
    return masterDownMs(this.settings, this.effectivePriority, this.activeIntervalMs);
  }

  /** `higher_prio_send_advert`: the loser tells the winner that there were two. */
  get sendsLastAdvert(): boolean {
    return this.settings.higherPrioritySendAdvert && !this.settings.strict;
  }

  /** In BACKUP with the timer fired: the group may make it master. */
  get isReady(): boolean {
    return this.state.kind === "BACKUP" && this.state.ready;
  }

  /** Takes over what a running instance can (see `reload.ts`). */
  applySettings(settings: InstanceSettings, grouped: boolean): void {
    this.grouped = grouped;
    const before = this.settings;
    this.settings = settings;
    if (sameValue(settings, before)) return;
    if (!sameValue(settings.announce, before.announce)) {
      this.plan.replaceSettings(settings.announce);
    }
    // A backup of version 3 has learned its master's, and that goes on.
    if (this.state.kind !== "BACKUP" || settings.version === 2) {
      this.activeIntervalMs = settings.advertIntervalMs;
    }
    this.#renewLease.durationMs = this.leaseMs;
    this.#renewLease.instance = settings.name;
    this.sender = new AdvertSender(settings, this.sender);
    if (this.sourceText !== "") this.sender.setSource(this.sourceText);
  }

  setSource(source: string): void {
    if (source === this.sourceText) return;
    this.sourceText = source;
    this.source = parseIp(source);
    this.sender.setSource(source);
  }

  // ---- what happens to it ----

  wake(turn: Turn): void {
    if (this.state.kind === "MASTER") masterTick(this, this.state, turn);
    else if (this.state.kind === "BACKUP") backupTick(this, this.state, turn);
    else this.#lapse(turn);
  }

  /** A believed advert of another router. True when it was a rival that we outrank. */
  heard(turn: Turn, source: string, advert: Advert): boolean {
    this.counters.advertsReceived++;
    if (advert.priority === 0) {
      this.counters.priorityZeroReceived++;
      this.sender.ah?.forget(source);
    }
    const news = this.peers.heard(turn.now, source, advert.priority);
    if (news !== undefined) {
      this.report(turn, { kind: "peer-appeared", reason: news, peer: source });
    }
    this.#lapse(turn);
    const heard = { source, advert };
    if (this.state.kind === "MASTER") return heardAsMaster(this, this.state, turn, heard);
    if (this.state.kind === "BACKUP") heardAsBackup(this, this.state, turn, heard);
    if (reignOf(this) !== undefined) heardAsHeir(this, turn, heard);
    return false;
  }

  /** What the tracked things say now. */
  applyTracks(turn: Turn, sum: TrackSum): void {
    this.sum = sum;
    if (this.state.kind === "STOPPED") return;
    if (sum.effectivePriority !== this.effectivePriority) {
      const weaker = sum.effectivePriority < this.effectivePriority;
      const reason = priorityReason(this, sum);
      this.effectivePriority = sum.effectivePriority;
      this.report(turn, { kind: "priority-changed", reason, priority: sum.effectivePriority });
      // A backup that is better now need not wait for the next advert to hear of it.
      if (weaker && this.state.kind === "MASTER") this.state.advertAtMs = turn.now;
      const { kind: now } = this.state;
      const isTold = this.settings.notify.priorityChanges;
      if (isTold && (now === "MASTER" || now === "BACKUP")) this.notify(turn, `${now}_PRIORITY`);
    }
    this.basePriority = this.settings.priority;
    if (reignOf(this) !== undefined) return;
    const { kind } = this.state;
    const running = kind === "MASTER" || kind === "BACKUP";
    // What a reload added is not known to be broken only because nobody has looked at it yet.
    if (sum.faults.length > 0 && !(running && sum.onlyPending)) this.#fault(turn, sum);
    else if (kind === "INIT" || kind === "FAULT") recover(this, turn);
  }

  addressRemoved(turn: Turn, address: string): void {
    this.#lapse(turn);
    if (this.state.kind === "MASTER") addressRemoved(this, turn, address);
  }

  addressClaimed(turn: Turn, address: string, mac: string): void {
    this.#lapse(turn);
    if (this.state.kind === "MASTER") addressClaimed(this, turn, { address, mac });
  }

  acquireFailed(turn: Turn, why: string): void {
    const waitMs = this.#refusals.next(this.masterDownMs, turn.now - this.sinceMs);
    this.resign(turn, `the kernel refused our addresses: ${why}`, HOLD_MS);
    if (this.state.kind !== "BACKUP") return;
    this.state.downAtMs = Math.max(this.state.downAtMs, turn.now + waitMs);
  }

  // ---- changes of state ----

  /** Gives the addresses up for a better master: released first, then one last advert, so that
   *  the winner knows that there were two and announces again. */
  yieldTo(turn: Turn, reason: string, lastAdvert: boolean): void {
    this.release(turn);
    if (lastAdvert) this.#sendFarewell(turn, this.effectivePriority);
    this.toBackup(turn, this.masterDownMs, "master", reason);
  }

  /**
   * Leaves with its sync group, although nobody better was met here. Its last advert outranks
   * nobody: its own priority could take down the very router for which the group makes way.
   */
  leaveWithGroup(turn: Turn, reason: string): void {
    this.release(turn);
    if (this.sendsLastAdvert) this.#sendFarewell(turn, LOWEST_PRIORITY);
    this.toBackup(turn, this.masterDownMs, "master", reason);
  }

  /** Two groups that made way for each other must not come back in the same moment for ever. */
  keepApart(): void {
    if (this.state.kind !== "BACKUP") return;
    this.state.apartMs = apartMs(this.source, this.activeIntervalMs);
    this.state.downAtMs += this.state.apartMs;
  }

  /** Gives the addresses up for whoever is there: priority 0 makes a backup answer soon. With a
   *  hold it waits for another master, without one only until all better backups had their turn. */
  resign(turn: Turn, reason: string, holdMs: number): void {
    this.#lapse(turn);
    if (this.state.kind !== "MASTER") return;
    this.#releaseAndResign(turn);
    this.holdUntilMs = turn.now + holdMs;
    this.toBackup(turn, holdMs > 0 ? this.masterDownMs : this.skewMs, "nobody", reason);
  }

  /** The last thing an instance does. */
  stop(turn: Turn, reason: string, notify: "STOP" | "DELETED" | "FAULT"): void {
    this.#lapse(turn);
    const from = this.state.kind;
    if (from === "STOPPED") return;
    if (from === "MASTER" || reignOf(this) !== undefined) this.#releaseAndResign(turn);
    retract(this, turn);
    this.state = { kind: "STOPPED" };
    this.changed(turn, from, reason);
    if (notify !== from) this.notify(turn, notify);
  }

  toBackup(turn: Turn, waitMs: number, awaiting: BackupState["awaiting"], reason: string): void {
    const from = this.state.kind;
    this.state = backupUntil(this.electAt(turn.now, waitMs), awaiting);
    this.changed(turn, from, reason);
  }

  /** Who slept over the end of the lease is a backup now: somebody else may be master, whatever
   *  it is that woke us. */
  #lapse(turn: Turn): void {
    if (this.state.kind === "MASTER") leaseLapsed(this, this.state, turn);
    else letLapse(this, turn);
  }

  #fault(turn: Turn, sum: TrackSum): void {
    const from = this.state.kind;
    const reason = sum.faults.join("; ");
    if (from === "FAULT" || (from === "INIT" && sum.onlyPending)) {
      this.reason = reason;
      return;
    }
    if (from === "MASTER") this.#releaseAndResign(turn);
    retract(this, turn);
    this.state = { kind: "FAULT" };
    this.changed(turn, from, reason);
  }

  // ---- what the states share ----

  electAt(fromMs: number, waitMs: number): number {
    return Math.max(fromMs, this.notBeforeMs) + waitMs;
  }

  rememberMaster(now: number, address: string, priority: number): void {
    this.master ??= { address, priority, heardAtMs: now };
    this.master.address = address;
    this.master.priority = priority;
    this.master.heardAtMs = now;
  }

  /** An advert with a promise: the lease comes first. */
  advertise(turn: Turn): void {
    this.promise(turn);
    this.tellRouters(turn);
  }

  /** Our addresses answer that long. */
  promise(turn: Turn): void {
    if (this.state.kind === "MASTER" && this.settings.lease) {
      turn.out.push(this.#renewLease);
      this.state.leaseUntilMs = turn.now + this.leaseMs;
    }
    this.leaseRenewedMs = turn.now;
  }

  /** They believe in it from now on. */
  tellRouters(turn: Turn): void {
    const { effectivePriority: priority, sender } = this;
    if (sender.send(priority, turn.wallMs, turn.out)) this.counters.advertsSent++;
    // The order above is carried out later than this line, with what it will say then.
    this.#renewLease.sequence = sender.sequence;
    this.#renewLease.alone = this.peers.isEmpty;
  }

  announce(turn: Turn, repeat: number, asks = false): void {
    const order = { type: "announce", instance: this.settings.name, repeat } as const;
    // Where no multicast goes (clouds), the network itself answers for every address.
    const isHeard = this.settings.transport.kind === "multicast";
    turn.out.push(asks && isHeard ? { ...order, asks } : order);
  }

  /** Neighbours may have followed another master: tells them now and for a while. */
  announceAfterRival(turn: Turn): void {
    if (this.state.kind !== "MASTER") return;
    const times = this.plan.contended(turn.now);
    if (times > 0) this.announce(turn, times);
  }

  release(turn: Turn): void {
    this.counters.releasedMaster++;
    this.plan.stop();
    this.guard.reset();
    splitBrainHealed(this, turn, "we are no longer master");
    turn.out.push({ type: "release-addresses", instance: this.settings.name });
  }

  report(turn: Turn, event: Omit<RouterEvent, "instance">): void {
    const whole = { instance: this.settings.name, ...event };
    this.log.record(turn, whole, decisionInputs(this, turn.now));
  }

  notify(turn: Turn, state: NotifyAction["state"], again = false): void {
    const { reason, effectivePriority: priority } = this;
    const what = { scope: "INSTANCE", name: this.settings.name, state, priority, reason } as const;
    turn.out.push({ type: "notify", ...what, ...(again ? { again } : {}) });
  }

  #releaseAndResign(turn: Turn): void {
    this.release(turn);
    this.counters.priorityZeroSent++;
    this.#sendFarewell(turn, 0);
  }

  #sendFarewell(turn: Turn, priority: number): void {
    const sent = this.sender.sendFarewell(priority, this.activeIntervalMs, turn.wallMs, turn.out);
    if (sent) this.counters.advertsSent++;
  }

  /** `again`: a reign that is gone on with was told of when it began. */
  changed(turn: Turn, from: VrrpState, reason: string, again = false): void {
    const [to, priority] = [this.state.kind, this.effectivePriority];
    this.sinceMs = turn.now;
    this.reason = reason;
    const heard = heardOf(this, turn.now);
    this.report(turn, { kind: "state-changed", reason, from, to, priority, ...heard });
    if (to === "MASTER" || to === "BACKUP" || to === "FAULT") this.notify(turn, to, again);
  }
}
