/**
 * A server: a kernel that lives as long as the power is on, and in it a process that runs the
 * real router. The process can die between two actions, stop and go on, start anew; what it
 * missed meanwhile waits in a socket buffer of bounded size, as it would in reality.
 */

import { identitiesOf, objectionTo } from "../core/vrrp/reign.ts";
import type { ReceivedDatagram, RouterAction, RouterInput } from "../core/vrrp/router-ports.ts";
import type { Prng } from "../lib/prng.ts";
import type { EventQueue } from "./event-queue.ts";
import { HostClock } from "./host-clock.ts";
import { Kernel } from "./kernel.ts";
import type { DatagramFrame, Frame, Network, Station } from "./network.ts";
import { Process, type MakeRouter } from "./process.ts";
import type { NodePlan, Scenario } from "./scenario.ts";
import {
  instanceNames,
  interfaceName,
  primaryAddress,
  witnessAddress,
  type Edit,
} from "./settings-draft.ts";
import type { Trace } from "./trace.ts";
import type { Muted } from "./violation.ts";
import type { Watch } from "./watch.ts";

/** What a node finds around it. */
export interface Surroundings {
  readonly scenario: Scenario;
  readonly queue: EventQueue;
  readonly network: Network;
  readonly trace: Trace;
  readonly prng: Prng;
  readonly makeRouter: MakeRouter;
  readonly watch: Watch;
  readonly muted: Muted;
}

export class Node implements Station {
  readonly name: string;
  readonly index: number;
  readonly plan: NodePlan;
  readonly clock: HostClock;
  readonly kernel: Kernel;
  readonly station: number;
  readonly around: Surroundings;
  process: Process | undefined;
  powered = true;
  frozen = false;
  /** What the host's check scripts find, by track name. Outlives the process. */
  readonly scriptsOk: Map<string, boolean>;
  #witnessReachable = true;
  readonly #lapseWatched = new Set<string>();

  constructor(index: number, plan: NodePlan, around: Surroundings) {
    this.index = index;
    this.plan = plan;
    this.name = plan.name;
    this.around = around;
    this.clock = new HostClock(plan.drift, 10_000 * (index + 1));
    this.kernel = new Kernel(around.scenario.group.instances);
    // A reversed track is healthy while its script fails.
    this.scriptsOk = new Map(plan.tracks.map((track) => [track.name, !track.reverse]));
    this.station = around.network.join(this);
  }

  get localMs(): number {
    return this.clock.local(this.around.queue.now);
  }

  get mac(): string {
    return `02:00:00:00:00:${this.station.toString(16).padStart(2, "0")}`;
  }

  /**
   * Power on if need be, clear what a predecessor had recorded unless it may be gone on with, run
   * a fresh router. `edit`: the configuration is another one by now.
   */
  start(edit: Edit = {}): void {
    if (this.process !== undefined || this.frozen) return;
    this.powered = true;
    this.say("process starts");
    this.process = new Process(this, edit);
    const { reigns } = this.kernel;
    const identities = identitiesOf(this.process.settings);
    const heirs = reigns.filter(
      (r) => objectionTo(r, identities.get(r.instance) ?? "", this.localMs) === undefined,
    );
    this.kernel.removeRecorded(heirs.map((r) => r.instance));
    this.around.watch.processStarted(this);
    this.process.begin(reigns);
  }

  /** kill -9: addresses stay until their lease lapses. */
  crash(): void {
    if (this.process === undefined) return;
    this.say("process dies");
    this.process.end();
    this.process = undefined;
    this.around.watch.processEnded(this);
  }

  powerOff(): void {
    this.crash();
    this.say("power off");
    this.powered = false;
    this.kernel.forget();
  }

  freeze(): void {
    if (this.frozen) return;
    this.say("host freezes");
    this.clock.freeze(this.around.queue.now);
    this.frozen = true;
    this.process?.suspend();
    this.around.watch.processPaused(this, true);
  }

  thaw(): void {
    if (!this.frozen) return;
    this.say("host goes on");
    this.frozen = false;
    this.clock.thaw(this.around.queue.now);
    for (const instance of this.#lapseWatched) this.#watchLapse(instance);
    this.process?.release();
    this.around.watch.processPaused(this, false);
    this.process?.catchUp();
  }

  setLink(segment: number, up: boolean): void {
    if (this.kernel.linkUp[segment] === up) return;
    this.say(`link ${interfaceName(segment)} ${up ? "up" : "down"}`);
    this.kernel.linkUp[segment] = up;
    this.process?.take(this.interfaceFact(segment));
  }

  setScript(name: string, ok: boolean): void {
    if (this.scriptsOk.get(name) === ok) return;
    this.scriptsOk.set(name, ok);
    this.process?.take(this.trackFact(name));
  }

  setWitness(reachable: boolean): void {
    this.#witnessReachable = reachable;
    this.tellWitnesses();
  }

  tellWitnesses(): void {
    const { scenario } = this.around;
    if (!scenario.group.witness) return;
    for (let segment = 0; segment < scenario.group.instances; segment++) {
      const address = witnessAddress(scenario, segment);
      const reachable = this.#witnessReachable;
      this.process?.take({ type: "witness-changed", address, reachable });
    }
  }

  interfaceFact(segment: number): RouterInput {
    const primary = primaryAddress(this.around.scenario, segment, this.plan.hostNumber);
    const up = this.kernel.linkUp[segment]!;
    return {
      type: "interface-changed",
      interface: interfaceName(segment),
      exists: true,
      up,
      mac: this.mac,
      ...(this.around.scenario.group.family === "ipv4"
        ? { primaryIpv4: primary }
        : { linkLocalIpv6: primary }),
    };
  }

  trackFact(name: string): RouterInput {
    const ok = this.scriptsOk.get(name)!;
    const reason = ok ? "exit 0" : "exit 1";
    return { type: "track-changed", kind: "script", name, ok, value: 0, reason };
  }

  /** The process prolongs the lease; the kernel will end it by itself. */
  renewLease(order: Extract<RouterAction, { type: "renew-lease" }>, segment: number): void {
    const { instance, durationMs, identity, sequence, alone } = order;
    const leaseUntilMs = this.localMs + durationMs;
    this.kernel.renewLease(instance, segment, leaseUntilMs);
    this.kernel.noteReign({ instance, identity, leaseUntilMs, sequence, alone });
    if (this.#lapseWatched.has(instance)) return;
    this.#lapseWatched.add(instance);
    this.#watchLapse(instance);
  }

  linked(segment: number): boolean {
    return this.powered && !this.frozen && this.kernel.linkUp[segment] === true;
  }

  owns(segment: number, address: string): boolean {
    return address === primaryAddress(this.around.scenario, segment, this.plan.hostNumber);
  }

  receive(segment: number, from: number, frame: Frame): void {
    if (frame.kind === "datagram") {
      this.process?.takeDatagram(receivedDatagram(segment, frame));
      return;
    }
    const { network } = this.around;
    if (frame.kind === "announce") this.#noticeClaim(segment, from, frame.address);
    if (frame.kind !== "ask" && frame.kind !== "probe") return;
    if (this.kernel.answering(segment, frame.address, this.localMs) === undefined) return;
    const kind = frame.kind === "ask" ? "answer" : "probe-answer";
    network.send(segment, this.station, { to: from, frame: { kind, address: frame.address } });
  }

  say(what: string): void {
    this.around.trace.add(this.#now, this.name, what);
  }

  get #now(): number {
    return this.around.queue.now;
  }

  /** Somebody else's hardware address claims what we hold. */
  #noticeClaim(segment: number, from: number, address: string): void {
    const instance = instanceNames[segment]!;
    if (!this.kernel.holds(instance, address)) return;
    const mac = `02:00:00:00:00:${from.toString(16).padStart(2, "0")}`;
    this.process?.take({ type: "address-claimed", instance, address, mac });
  }

  /** A lapse is an event of its own: the oracles must see the moment. */
  #watchLapse(instance: string): void {
    const due = this.clock.world(this.kernel.leaseUntil(instance));
    if (due === Infinity) {
      if (!this.frozen) this.#lapseWatched.delete(instance);
      return;
    }
    this.around.queue.at(due + LAPSE_EPSILON_MS, () => {
      if (this.frozen) return;
      if (this.kernel.leaseUntil(instance) > this.localMs) this.#watchLapse(instance);
      else {
        this.#lapseWatched.delete(instance);
        if (this.kernel.holdsAny(instance)) this.say(`lease of ${instance} lapses`);
      }
    });
  }
}

/** Rounding between two clocks must not make an event come a hair before its time. */
const LAPSE_EPSILON_MS = 0.001;

function receivedDatagram(segment: number, frame: DatagramFrame): ReceivedDatagram {
  return {
    interface: interfaceName(segment),
    family: frame.family,
    protocol: frame.protocol,
    source: frame.source,
    destination: frame.destination,
    ttl: frame.ttl,
    payload: frame.payload,
    ...(frame.ipHeader === undefined ? {} : { ipHeader: frame.ipHeader }),
  };
}
