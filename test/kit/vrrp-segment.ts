/**
 * Routers on a perfect network with a clock of its own: nothing is lost, delayed or reordered
 * unless a test says so. For faults by the thousand there is the simulator in `src/sim`.
 */

import { isIpv6 } from "../../src/lib/ip-address.ts";
import { Router } from "../../src/core/vrrp/router.ts";
import type {
  ReceivedDatagram,
  RouterAction,
  RouterInput,
} from "../../src/core/vrrp/router-ports.ts";
import { AdvertSender } from "../../src/core/vrrp/advert-sender.ts";
import type { InstanceSettings, VrrpSettings } from "../../src/core/vrrp/settings.ts";
import type { InstanceStatus } from "../../src/core/vrrp/status.ts";

/** Unix time of the segment's moment 0, ms. */
export const EPOCH_MS = 1_800_000_000_000;
/** An address that no node of a segment has, and higher than theirs. */
export const STRANGER = "192.0.2.99";
/** What a frame takes from one router to another. */
const LATENCY_MS = 0.1;
/** More than any router here may do in one moment. */
const MAX_EVENTS_AT_ONCE = 100_000;

type SendAction = Extract<RouterAction, { type: "send-datagram" }>;

/** One line of what happened, as tests compare it. */
export interface TraceLine {
  readonly atMs: number;
  readonly node: string;
  readonly text: string;
}

interface Frame {
  readonly atMs: number;
  readonly to: SegmentNode;
  readonly datagram: ReceivedDatagram;
}

/** A router, its own addresses, and what its kernel would hold. */
export class SegmentNode {
  readonly name: string;
  readonly number: number;
  readonly router: Router;
  /** Instances whose addresses are in the kernel. */
  readonly holds: Set<string> = new Set();
  /** Every action of every step; payloads are copies. */
  readonly actions: RouterAction[] = [];
  /** Stopped processes neither hear nor wake. */
  paused: boolean = false;

  constructor(name: string, number: number, settings: VrrpSettings) {
    this.name = name;
    this.number = number;
    this.router = new Router(settings);
  }

  /** Its own address: eth0 192.0.2.N and fe80::N, eth1 198.51.100.N and fe80::1:N. */
  address(family: "ipv4" | "ipv6", dev = "eth0"): string {
    const net = Number(dev.slice(3));
    if (family === "ipv6") return net === 0 ? `fe80::${this.number}` : `fe80::1:${this.number}`;
    return `${net === 0 ? "192.0.2" : "198.51.100"}.${this.number}`;
  }

  status(instance = "V1"): InstanceStatus {
    const found = this.router.status(0).instances.find((i) => i.name === instance);
    if (found === undefined) throw new Error(`${this.name} has no instance ${instance}`);
    return found;
  }

  get state(): string {
    return this.status().state;
  }

  /** Actions of a type, all of them or those of one instance. */
  did<T extends RouterAction["type"]>(
    type: T,
    instance?: string,
  ): Extract<RouterAction, { type: T }>[] {
    return this.actions.filter(
      (a): a is Extract<RouterAction, { type: T }> =>
        a.type === type && (instance === undefined || ("instance" in a && a.instance === instance)),
    );
  }

  /** Reports of a kind: their sentences. */
  said(kind: string): string[] {
    return this.did("report").flatMap((a) => (a.event.kind === kind ? [a.event.reason] : []));
  }
}

export class Segment {
  now: number = 0;
  readonly nodes: SegmentNode[] = [];
  readonly trace: TraceLine[] = [];
  /** Frames for which this is true are lost. */
  lost: (from: SegmentNode, to: SegmentNode, datagram: ReceivedDatagram) => boolean = () => false;
  #frames: Frame[] = [];

  /** Adds a router, tells it its interfaces and starts it. */
  add(name: string, settings: VrrpSettings): SegmentNode {
    const node = new SegmentNode(name, this.nodes.length + 1, settings);
    this.nodes.push(node);
    this.input(node, { type: "started", wallMs: this.wallMs });
    for (const dev of new Set(settings.instances.map((i) => i.interface)))
      this.link(node, true, dev);
    return node;
  }

  get wallMs(): number {
    return EPOCH_MS + this.now;
  }

  link(node: SegmentNode, up: boolean, dev = "eth0"): void {
    this.input(node, {
      type: "interface-changed",
      interface: dev,
      exists: true,
      up,
      primaryIpv4: node.address("ipv4", dev),
      linkLocalIpv6: node.address("ipv6", dev),
    });
  }

  script(node: SegmentNode, name: string, ok: boolean): void {
    const reason = `script ${name} ${ok ? "succeeds" : "fails"}`;
    this.input(node, { type: "track-changed", kind: "script", name, ok, value: 0, reason });
  }

  input(node: SegmentNode, input: RouterInput): readonly RouterAction[] {
    return this.#carryOut(node, node.router.step(this.now, input));
  }

  reconfigure(node: SegmentNode, settings: VrrpSettings): readonly RouterAction[] {
    return this.#carryOut(node, node.router.reconfigure(this.now, settings));
  }

  /** A datagram out of nowhere, now. */
  inject(node: SegmentNode, datagram: ReceivedDatagram): readonly RouterAction[] {
    return this.input(node, { type: "datagram-received", datagram, wallMs: this.wallMs });
  }

  /** An advert that a stranger with these settings sends, now. */
  tell(node: SegmentNode, stranger: InstanceSettings, source = STRANGER): readonly RouterAction[] {
    return this.inject(node, advertOf(stranger, source, stranger.priority));
  }

  /** Nobody hears anybody across the two sides, until the next call. No sides: whole again. */
  partition(...sides: readonly (readonly SegmentNode[])[]): void {
    const side = (node: SegmentNode): number => sides.findIndex((s) => s.includes(node));
    this.lost = (from, to) => side(from) !== side(to);
  }

  advance(ms: number): void {
    const end = this.now + ms;
    let at = this.#nextMs();
    for (let events = 0; at <= end; at = this.#nextMs()) {
      events = at === this.now ? events + 1 : 0;
      if (events > MAX_EVENTS_AT_ONCE) throw new Error(`no end at ${this.now} ms`);
      this.now = Math.max(this.now, at);
      this.#happen();
    }
    this.now = end;
  }

  /** Goes on until it is true; returns how long that took, ms. */
  until(condition: () => boolean, limitMs = 60_000): number {
    const start = this.now;
    while (!condition()) {
      const at = this.#nextMs();
      if (at > start + limitMs) throw new Error(`not within ${limitMs} ms:\n${this.story()}`);
      this.now = Math.max(this.now, at);
      this.#happen();
    }
    return this.now - start;
  }

  masters(instance = "V1"): string[] {
    return this.nodes.filter((n) => n.holds.has(instance)).map((n) => n.name);
  }

  /** The trace as text, one line each. */
  story(): string {
    return this.trace.map((l) => `${l.atMs.toFixed(1)} ${l.node}: ${l.text}`).join("\n");
  }

  #nextMs(): number {
    const frame = this.#frames[0]?.atMs ?? Infinity;
    const awake = this.nodes.filter((n) => !n.paused);
    return Math.min(frame, ...awake.map((n) => n.router.deadline));
  }

  #happen(): void {
    const frame = this.#frames[0];
    if (frame !== undefined && frame.atMs <= this.now) {
      this.#frames.shift();
      if (!frame.to.paused) this.inject(frame.to, frame.datagram);
      return;
    }
    for (const node of this.nodes) {
      if (!node.paused && node.router.deadline <= this.now) {
        this.input(node, { type: "woken", wallMs: this.wallMs });
      }
    }
  }

  #carryOut(node: SegmentNode, actions: readonly RouterAction[]): readonly RouterAction[] {
    const kept = actions.map((action) =>
      action.type === "send-datagram"
        ? { ...action, payload: action.payload.slice(0, action.length) }
        : action,
    );
    for (const action of kept) {
      node.actions.push(action);
      const text = lineOf(action);
      if (text !== undefined) this.trace.push({ atMs: this.now, node: node.name, text });
      if (action.type === "acquire-addresses") node.holds.add(action.instance);
      if (action.type === "release-addresses") node.holds.delete(action.instance);
      if (action.type === "rename-instance" && node.holds.delete(action.instance)) {
        node.holds.add(action.name);
      }
      if (action.type === "send-datagram") this.#transmit(node, action);
    }
    for (const action of kept) {
      if (action.type !== "restore-address") continue;
      const { instance, address } = action;
      this.input(node, { type: "address-restored", instance, address });
    }
    return kept;
  }

  #transmit(from: SegmentNode, action: SendAction): void {
    const datagram = received(action);
    const multicast = isIpv6(action.destination)
      ? action.destination.startsWith("ff")
      : action.destination.startsWith("224.");
    for (const to of this.nodes) {
      const addressed = to.address(action.family, action.interface) === action.destination;
      if (to === from || !(multicast || addressed) || this.lost(from, to, datagram)) continue;
      this.#frames.push({ atMs: this.now + LATENCY_MS, to, datagram });
    }
  }
}

/** What a receiver sees of a datagram that was sent. */
export function received(action: SendAction): ReceivedDatagram {
  const { interface: dev, family, protocol, source, destination, ttl } = action;
  const bytes = action.payload.slice(0, action.length);
  const payload = action.headerIncluded ? bytes.subarray(20) : bytes;
  const datagram = { interface: dev, family, protocol, source, destination, ttl, payload };
  return action.headerIncluded ? { ...datagram, ipHeader: bytes.subarray(0, 20) } : datagram;
}

/** What a receiver sees of the first advert of an instance. */
export function advertOf(
  settings: InstanceSettings,
  source: string,
  priority: number,
): ReceivedDatagram {
  const sender = new AdvertSender(settings);
  const out: RouterAction[] = [];
  sender.setSource(source);
  sender.send(priority, EPOCH_MS, out);
  const action = out[0];
  if (action?.type !== "send-datagram") throw new Error(`${settings.name} sends nothing`);
  return received(action);
}

function lineOf(action: RouterAction): string | undefined {
  switch (action.type) {
    case "send-datagram": {
      const at = action.headerIncluded ? 44 : 0;
      const to = action.destination;
      return `${action.instance} advert ${action.payload[at + 2]} to ${to}`;
    }
    case "renew-lease":
      return undefined;
    case "notify":
      return `notify ${action.scope} ${action.name} ${action.state} ${action.priority}`;
    case "announce":
      return `${action.instance} announce x${action.repeat}`;
    case "restore-address":
      return `${action.instance} restore ${action.address}`;
    case "report": {
      const { instance, kind, from, to, reason } = action.event;
      const what = kind === "state-changed" ? `${from} -> ${to}` : kind;
      return `${instance} ${what}: ${reason}`;
    }
    default:
      return `${action.instance} ${action.type}`;
  }
}
