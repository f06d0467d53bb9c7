/**
 * The real engine in virtual time, with what goes wrong around it, for whatever its clients and
 * servers speak. Here are the oracles that hold for all of them: memory, and nothing left over.
 */

import { Prng } from "../../lib/prng.ts";
import type { AccessRecord } from "../../core/proxy/access-record.ts";
import { Engine } from "../../core/proxy/engine.ts";
import type { EngineOptions } from "../../core/proxy/engine-parts.ts";
import type { FrontendSettings } from "../../core/proxy/frontend-settings.ts";
import type { Wire } from "../../core/proxy/wire.ts";
import { EventQueue } from "../event-queue.ts";
import { type LinkEnd, linkedEnds, type LinkNature } from "./byte-link.ts";
import type { Door } from "./door.ts";
import type { HostFault, Pieces, WorldPlan } from "./scenario.ts";
import { FRONTEND, POOL, settingsOf } from "./settings.ts";
import { ProxyViolation } from "./violation.ts";

/** A run that is not over by then hangs. */
const LAST_MOMENT_MS = 20 * 60_000;
/** Of all that the engine may keep for its clients: heads, bodies for a retry, what came too early. */
const BYTES_PER_CLIENT = 768 * 1024;

/** Queued above the mark: one read of a server, framed anew, and a head. */
const MAX_OVERSHOOT = 80 * 1024;

/** ... and so does one with more events; the largest have a tenth of it. */
const MAX_EVENTS = 2_000_000;

export type MakeEngine = (now: number, options: EngineOptions) => Engine;

export interface SimHost {
  readonly door: Door;
  /** The process is killed: every connection is reset, new ones are refused. */
  die(): void;
}

export class Stage {
  readonly queue: EventQueue = new EventQueue();
  readonly prng: Prng;
  readonly hosts: Map<string, SimHost> = new Map();
  /** Hears of every exchange that the engine calls over. */
  told: (record: AccessRecord) => void = () => {};
  readonly #plan: WorldPlan;
  readonly #mode: FrontendSettings["mode"];
  readonly #engine: Engine;
  readonly #absent = new Set<string>();
  /** Where the engine's bytes for clients are queued. */
  readonly #engineEnds: LinkEnd[] = [];
  #wakeAt = Infinity;
  #events = 0;

  constructor(plan: WorldPlan, mode: FrontendSettings["mode"], makeEngine: MakeEngine) {
    this.#plan = plan;
    this.#mode = mode;
    this.prng = new Prng(plan.seed);
    this.#engine = makeEngine(0, {
      connector: {
        connect: (target, peer): Wire => this.hosts.get(target.server)!.door.connect(target, peer),
      },
      sinks: { access: (record) => this.told(record), event() {} },
      prng: this.prng.fork(),
    });
    this.#engine.setWallClock(0, 1_700_000_000_000);
    this.#engine.configure(0, settingsOf(plan, mode));
    for (const fault of plan.faults) this.#planFault(fault);
    const { drainAtMs } = plan;
    if (drainAtMs >= 0) this.queue.at(drainAtMs, () => this.#engine.drain(this.queue.now));
  }

  nature(pieces: Pieces): LinkNature {
    const { kernelBytes, markBytes, delayMs } = this.#plan;
    const { prng } = this;
    return {
      delayMs: () => (delayMs === 0 ? 0 : delayMs * prng.fraction()),
      cut: (waiting) =>
        pieces === "bytes" ? 1 : pieces === "whole" ? waiting : prng.between(1, waiting),
      kernelBytes,
      markBytes,
    };
  }

  /** A client connects: its end. */
  open(client: number, pieces: Pieces): LinkEnd {
    const [clientEnd, engineEnd] = linkedEnds(this.queue, this.nature(pieces));
    const origin = {
      frontend: FRONTEND,
      source: `192.0.2.${client + 1}`,
      sourcePort: 40_000,
      localAddress: "10.0.0.100",
      localPort: 80,
      http2: false,
    };
    this.#engineEnds.push(engineEnd);
    engineEnd.attach(this.#engine.accept(this.queue.now, engineEnd, origin));
    return clientEnd;
  }

  /** Until nothing happens any more; how many things did. */
  run(): number {
    const { queue } = this;
    do {
      const { deadline } = this.#engine;
      if (deadline < this.#wakeAt) {
        this.#wakeAt = deadline;
        queue.at(deadline, () => this.#wake());
      }
      this.#events++;
      if (queue.now > LAST_MOMENT_MS || this.#events > MAX_EVENTS) {
        throw new ProxyViolation("left-over", `something still happens after ${queue.now} ms`);
      }
      this.#checkMemory();
    } while (queue.runNext());
    this.#checkQueues();
    return this.#events;
  }

  checkNothingLeft(): void {
    const engine = this.#engine;
    const left = {
      connections: engine.connections,
      requests: engine.inFlight,
      bytes: engine.lentBytes,
      attempts: [...engine.dispatchers].reduce(
        (sum, { pool }) => sum + pool.servers.reduce((all, { active }) => all + active, 0),
        0,
      ),
    };
    if (Object.values(left).every((count) => count === 0)) return;
    throw new ProxyViolation("left-over", JSON.stringify(left));
  }

  #wake(): void {
    this.#wakeAt = Infinity;
    this.#engine.wake(this.queue.now);
  }

  #planFault({ server, atMs, durationMs, kind }: HostFault): void {
    const { name } = this.#plan.servers[server]!;
    this.queue.at(atMs, () => this.#fault(name, kind, true));
    this.queue.at(atMs + durationMs, () => this.#fault(name, kind, false));
  }

  #fault(name: string, kind: HostFault["kind"], begins: boolean): void {
    const engine = this.#engine;
    const { now } = this.queue;
    const host = this.hosts.get(name)!;
    switch (kind) {
      case "refuse":
      case "swallow":
        host.door.manner = begins ? kind : "accept";
        return;
      case "die":
        if (begins) host.die();
        else host.door.manner = "accept";
        return;
      case "down":
        engine.setHealth(now, POOL, name, { up: !begins, reason: "simulated" });
        return;
      case "drain":
      case "maint":
        engine.setAdmin(now, POOL, name, begins ? { state: kind, reason: "simulated" } : undefined);
        return;
      case "remove":
        if (begins) this.#absent.add(name);
        else this.#absent.delete(name);
        engine.configure(now, settingsOf(this.#plan, this.#mode, this.#absent));
    }
  }

  #checkMemory(): void {
    const bound = BYTES_PER_CLIENT * Math.max(1, this.#engine.connections);
    if (this.#engine.lentBytes > bound)
      throw new ProxyViolation("memory", `${this.#engine.lentBytes} bytes kept, bound ${bound}`);
  }

  /** Who does not read must stop the other side, not fill our memory. */
  #checkQueues(): void {
    const bound = this.#plan.markBytes + MAX_OVERSHOOT;
    const check = (whom: string, ends: readonly LinkEnd[]): void => {
      const most = Math.max(0, ...ends.map(({ maxQueued }) => maxQueued));
      const what = `${most} bytes queued for a ${whom}, bound ${bound}`;
      if (most > bound) throw new ProxyViolation("memory", what);
    };
    check("client", this.#engineEnds);
    for (const { door } of this.hosts.values()) check("server", door.engineEnds);
  }
}
