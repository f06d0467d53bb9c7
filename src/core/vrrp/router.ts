/**
 * All VRRP instances of one node: the machine that the daemon and the simulator run.
 *
 * It routes datagrams to instances, turns facts into priorities and faults, keeps sync groups in
 * step and wakes whoever is due. What an instance does about it is in `instance.ts`.
 */

import { assert } from "../../lib/assert.ts";
import type { Machine } from "../../lib/deadline-machine.ts";
import { retract } from "./backup.ts";
import { AdvertCheck, messageOf } from "./advert-check.ts";
import type { AdvertSender } from "./advert-sender.ts";
import { DeadlineRow } from "./deadline-row.ts";
import type { Turn } from "./decision-log.ts";
import { Facts } from "./facts.ts";
import { inherit, isHeirReady, reignOf, resume } from "./heir.ts";
import { Instance } from "./instance.ts";
import { Lateness } from "./lateness.ts";
import { decodeAdvert, emptyAdvert, type RejectReason } from "./packet.ts";
import { RejectLog } from "./reject-log.ts";
import { addressRestored } from "./master.ts";
import { goOn, needsRestart, renameSeats, sameValue } from "./reload.ts";
import type { ReceivedDatagram, RouterAction, RouterInput } from "./router-ports.ts";
import { identitiesOf, type Reign } from "./reign.ts";
import { instanceStatus } from "./router-status.ts";
import type { InstanceSettings, VrrpSettings } from "./settings.ts";
import type { Decision, RouterStatus } from "./status.ts";
import { SyncGroup } from "./sync-group.ts";
import { impliedTracks } from "./implied-tracks.ts";
import { sumTracks } from "./track-sum.ts";

const OWNER_PRIORITY = 255;
/** `nines handover`: until the new master fails, not for a time. */
const HOLD_UNTIL_MASTER_AGAIN = Infinity;
/** No more is believed: a clock that is set while a datagram waits must not make us hasty. */
const LONGEST_WAIT_MS = 2;

interface Seat {
  readonly instance: Instance;
  /** Its place among the deadlines. */
  place: number;
  check: AdvertCheck;
  group: SyncGroup | undefined;
}

export class Router implements Machine<RouterInput, RouterAction> {
  #settings: VrrpSettings;
  readonly #seats = new Map<string, Seat>();
  /** interface -> `family vrid` packed into one number -> seat. */
  readonly #routes = new Map<string, Map<number, Seat>>();
  /** Of the seats' instances. */
  readonly #deadlines = new DeadlineRow();
  #groups: SyncGroup[] = [];
  /** While a reload replaces instances: their senders, whose sequence numbers go on. */
  readonly #replaced = new Map<string, AdvertSender>();
  readonly #facts = new Facts();
  readonly #rejects = new RejectLog();
  readonly #lateness = new Lateness();
  readonly #advert = emptyAdvert();
  readonly #turn: Turn = { now: 0, wallMs: 0, waitedMs: 0, out: [] };
  #notBeforeMs = 0;
  #running = false;
  #stopped = false;

  constructor(settings: VrrpSettings) {
    this.#settings = settings;
  }

  /** Monotonic ms of the next `woken`. */
  get deadline(): number {
    return this.#deadlines.earliest;
  }

  step(now: number, input: RouterInput): readonly RouterAction[] {
    const turn = this.#begin(now);
    if (this.#stopped) return turn.out;
    switch (input.type) {
      case "started":
        turn.wallMs = input.wallMs;
        this.#start(turn, input.reigns ?? []);
        break;
      case "woken":
        turn.wallMs = input.wallMs;
        this.#wake(turn);
        break;
      case "datagram-received":
        turn.wallMs = input.wallMs;
        this.#receive(turn, input.datagram);
        break;
      case "stop-requested":
        this.#stop(turn, input.reason);
        break;
      default:
        this.#learn(turn, input);
    }
    // Without groups these two note what they touch: one instance of many, most of the time.
    const isNoted = input.type === "woken" || input.type === "datagram-received";
    if (!isNoted || this.#groups.length > 0) this.#noteDeadlines();
    return turn.out;
  }

  /** Reload by difference: instances whose settings did not change notice nothing. */
  reconfigure(now: number, settings: VrrpSettings): readonly RouterAction[] {
    const turn = this.#begin(now);
    this.#settings = settings;
    if (!this.#running || this.#stopped) return turn.out;
    const wanted = new Map(settings.instances.map((i) => [i.name, i]));
    renameSeats(this.#seats, settings.instances, turn);
    const before = new Set(this.#seats.keys());
    for (const [name, { instance }] of this.#seats) {
      const next = wanted.get(name);
      if (next !== undefined && !needsRestart(instance.settings, next)) continue;
      const why = next === undefined ? "removed from the configuration" : "configured anew";
      instance.stop(turn, why, deletedState(instance));
      this.#seats.delete(name);
      this.#replaced.set(name, instance.sender);
    }
    const kept = new Map([...this.#seats].map(([name, s]) => [name, s.instance.settings]));
    const groupsBefore = new Map(this.#groups.map((g) => [g.settings.name, g.state]));
    this.#seatAll();
    this.#replaced.clear();
    for (const group of this.#groups) {
      const state = groupsBefore.get(group.settings.name);
      if (state !== undefined) group.resume(state, (member) => before.has(member));
    }
    this.#judgeAll(turn);
    for (const [name, { instance }] of this.#seats) {
      // A member waits for the others, perhaps without end.
      if (instance.grouped) retract(instance, turn);
      const known = kept.get(name);
      if (known === undefined || sameValue(known, instance.settings)) continue;
      goOn(instance, turn, known);
    }
    this.#noteDeadlines();
    return turn.out;
  }

  status(now: number): RouterStatus {
    const { lastMs, maxMs, p99Ms } = this.#lateness;
    return {
      nowMs: now,
      instances: [...this.#seats.values()].map(({ instance, group }) =>
        instanceStatus(instance, group?.settings.name, this.#facts),
      ),
      groups: this.#groups.map((g) => ({
        name: g.settings.name,
        state: g.state,
        members: g.settings.members,
      })),
      rejected: this.#rejects.counters(),
      lateness: { lastMs, maxMs, p99Ms },
    };
  }

  /** The last decisions of an instance, oldest first; empty for an unknown name. */
  decisions(name: string): readonly Decision[] {
    return this.#seats.get(name)?.instance.log.list() ?? [];
  }

  #begin(now: number): Turn {
    // The wall clock runs on where an input does not carry it: a farewell must not look stale.
    this.#turn.wallMs += now - this.#turn.now;
    this.#turn.now = now;
    // Popping keeps the array's memory; setting its length to 0 would give it away each time.
    while (this.#turn.out.length > 0) this.#turn.out.pop();
    return this.#turn;
  }

  #start(turn: Turn, reigns: readonly Reign[]): void {
    assert(!this.#running, "a router starts once");
    this.#running = true;
    this.#notBeforeMs = turn.now + this.#settings.startupDelayMs;
    this.#seatAll();
    for (const reign of reigns) {
      const seat = this.#seats.get(reign.instance);
      if (seat !== undefined) inherit(seat.instance, turn, reign);
    }
    this.#judgeAll(turn);
  }

  /** Gives every configured instance its seat; those already seated keep theirs. */
  #seatAll(): void {
    const { instances, groups } = this.#settings;
    this.#routes.clear();
    const membership = new Map(groups.flatMap((g) => g.members.map((m) => [m, g.name] as const)));
    for (const settings of instances) {
      const grouped = membership.has(settings.name);
      const existing = this.#seats.get(settings.name);
      const seat = existing ?? this.#newSeat(settings, grouped);
      const { sender } = seat.instance;
      seat.instance.applySettings(settings, grouped);
      if (seat.instance.sender !== sender) {
        seat.check = new AdvertCheck(settings, seat.instance.sender);
      }
      seat.group = undefined;
      this.#seats.set(settings.name, seat);
      let byId = this.#routes.get(settings.interface);
      if (byId === undefined) this.#routes.set(settings.interface, (byId = new Map()));
      byId.set(routeKey(settings.family, settings.vrid), seat);
    }
    this.#groups = groups.map((g) => {
      const seats = g.members.flatMap((m) => this.#seats.get(m) ?? []);
      const group = new SyncGroup(
        g,
        seats.map((s) => s.instance),
      );
      for (const seat of seats) seat.group = group;
      return group;
    });
    const identities = identitiesOf(this.#settings);
    for (const [name, { instance }] of this.#seats) instance.identity = identities.get(name) ?? "";
  }

  #noteDeadlines(): void {
    this.#deadlines.resize(this.#seats.size);
    let place = 0;
    for (const seat of this.#seats.values()) {
      this.#deadlines.note(place, seat.instance.deadline);
      seat.place = place++;
    }
  }

  #newSeat(settings: InstanceSettings, grouped: boolean): Seat {
    const before = this.#replaced.get(settings.name);
    const instance = new Instance(settings, grouped, this.#notBeforeMs, before);
    const check = new AdvertCheck(settings, instance.sender);
    return { instance, place: 0, check, group: undefined };
  }

  #wake(turn: Turn): void {
    const late = turn.now - this.deadline;
    if (late < 0) return;
    this.#lateness.record(late);
    for (const { instance, place } of this.#seats.values()) {
      if (turn.now < this.#deadlines.at(place)) continue;
      instance.wake(turn);
      this.#deadlines.note(place, instance.deadline);
    }
    this.#settleGroups(turn);
  }

  #receive(turn: Turn, datagram: ReceivedDatagram): void {
    const message = messageOf(datagram);
    const malformed = decodeAdvert(message, datagram.family, this.#advert);
    const seat =
      message.length > 1
        ? this.#routes.get(datagram.interface)?.get(routeKey(datagram.family, message[1]!))
        : undefined;
    if (seat === undefined) {
      if (malformed === undefined) {
        this.#rejects.reportStranger(turn, datagram, this.#advert.vrid);
      } else this.#rejects.count(malformed);
      return;
    }
    const reason = malformed ?? this.#rejectFor(turn, seat, datagram, message);
    const { instance } = seat;
    if (reason !== undefined) {
      this.#rejects.report(turn, instance, reason, datagram.source);
      return;
    }
    if (seat.check.isTwin(turn.now, datagram.source, this.#advert)) return;
    if (
      this.#advert.version === 3 &&
      !instance.settings.skipCheckAdvertAddresses &&
      !seat.check.namesOurAddresses(message, this.#advert)
    ) {
      this.#rejects.note(turn, instance, "address-list-mismatch", datagram.source);
    }
    turn.waitedMs = Math.min(datagram.waitedMs ?? 0, LONGEST_WAIT_MS);
    const rival = instance.heard(turn, datagram.source, this.#advert);
    this.#deadlines.note(seat.place, instance.deadline);
    if (seat.group === undefined) return;
    if (rival) seat.group.announceAfterRival(turn, instance);
    this.#settleGroups(turn);
  }

  #rejectFor(
    turn: Turn,
    seat: Seat,
    datagram: ReceivedDatagram,
    message: Uint8Array,
  ): RejectReason | undefined {
    const { instance, check } = seat;
    const { kind } = instance.state;
    if (datagram.source === this.#facts.sourceOf(instance.settings)) return "own-advert";
    const runs = kind === "BACKUP" || kind === "MASTER" || reignOf(instance) !== undefined;
    if (!runs) return "not-running";
    const { priority, ownerIgnoreAdverts } = instance.settings;
    if (priority === OWNER_PRIORITY && ownerIgnoreAdverts) return "owner-ignores";
    return check.reject(datagram, message, this.#advert, turn.wallMs);
  }

  #learn(
    turn: Turn,
    input: Exclude<
      RouterInput,
      { type: "started" | "woken" | "datagram-received" | "stop-requested" }
    >,
  ): void {
    switch (input.type) {
      case "interface-changed":
        this.#facts.interfaceChanged(input);
        return this.#judgeAll(turn);
      case "track-changed":
        this.#facts.trackChanged(input);
        return this.#judgeAll(turn);
      case "witness-changed":
        this.#facts.witnessChanged(input.address, input.reachable);
        return this.#judgeAll(turn);
      case "handover-requested":
        return this.#handOver(turn, input.instance, input.reason);
      case "address-removed":
        this.#seats.get(input.instance)?.instance.addressRemoved(turn, input.address);
        break;
      case "address-claimed":
        this.#seats.get(input.instance)?.instance.addressClaimed(turn, input.address, input.mac);
        break;
      case "address-restored": {
        const seat = this.#seats.get(input.instance);
        if (seat !== undefined) addressRestored(seat.instance, turn, input.address);
        break;
      }
      case "acquire-failed":
        this.#seats.get(input.instance)?.instance.acquireFailed(turn, input.reason);
        break;
    }
    this.#settleGroups(turn);
  }

  #judgeAll(turn: Turn): void {
    if (!this.#running) return;
    for (const seat of this.#seats.values()) this.#judge(turn, seat);
    // A second round: one member's fault is the other members' fault as well, and its end too.
    for (const seat of this.#seats.values()) if (seat.group !== undefined) this.#judge(turn, seat);
    for (const { instance, group } of this.#seats.values()) {
      if (group === undefined && isHeirReady(instance)) resume(instance, turn);
    }
    this.#settleGroups(turn);
  }

  /** Sums up what is known for one instance and tells it. */
  #judge(turn: Turn, seat: Seat): void {
    const { instance, group } = seat;
    const { settings } = instance;
    const source = this.#facts.sourceOf(settings);
    if (source !== undefined) instance.setSource(source);
    // What the group tracks is the same for all of its members: weights cannot part them.
    const shared = group?.settings.tracks ?? [];
    const references = [...impliedTracks(settings), ...settings.tracks, ...shared];
    const sum = sumTracks(settings.priority, references, (reference) =>
      this.#facts.verdictOf(settings, reference),
    );
    const faulty = group?.faultyMember(instance);
    if (faulty === undefined) return instance.applyTracks(turn, sum);
    const name = faulty.settings.name;
    const why = `${name} of group ${group?.settings.name}: ${faulty.sum?.faults[0] ?? "in fault"}`;
    instance.applyTracks(turn, {
      ...sum,
      faults: [...sum.faults, why],
      onlyPending: sum.onlyPending && faulty.sum?.onlyPending === true,
    });
  }

  #handOver(turn: Turn, name: string, reason: string): void {
    const group = this.#groups.find((g) => g.settings.name === name);
    const seat = this.#seats.get(name);
    const instances = group?.members ?? (seat === undefined ? [] : [seat.instance]);
    for (const instance of instances) {
      if (instance.state.kind === "MASTER") instance.resign(turn, reason, HOLD_UNTIL_MASTER_AGAIN);
      else
        instance.report(turn, {
          kind: "note",
          reason: `nothing to hand over: ${name} is ${instance.state.kind}`,
        });
    }
    this.#settleGroups(turn);
  }

  #stop(turn: Turn, reason: string): void {
    for (const { instance } of this.#seats.values()) instance.stop(turn, reason, "STOP");
    this.#settleGroups(turn);
    this.#stopped = true;
  }

  #settleGroups(turn: Turn): void {
    for (const group of this.#groups) group.settle(turn);
  }
}

function routeKey(family: "ipv4" | "ipv6", vrid: number): number {
  return family === "ipv4" ? vrid : vrid + 256;
}

/** keepalived's: scripts that know no DELETED hear of it as of a fault. */
function deletedState({ settings: { notify } }: Instance): "DELETED" | "FAULT" {
  return notify.tellsDeleted === true ? "DELETED" : "FAULT";
}
