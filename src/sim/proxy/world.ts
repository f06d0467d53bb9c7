/**
 * One run: clients, the real engine, servers, and everything that goes wrong between them, in
 * virtual time. Oracles bite while it runs and at the end.
 */

import { Prng } from "../../lib/prng.ts";
import { Engine } from "../../core/proxy/engine.ts";
import type { EngineOptions } from "../../core/proxy/engine-parts.ts";
import { EventQueue } from "../event-queue.ts";
import { type LinkEnd, linkedEnds, type LinkNature } from "./byte-link.ts";
import { SimClient } from "./client.ts";
import { Entry, Ledger } from "./ledger.ts";
import { isIdempotent, type HostFault, type Pieces, type ProxyScenario } from "./scenario.ts";
import { SimServer } from "./server.ts";
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

export interface ProxyRun {
  readonly entries: readonly Entry[];
  readonly events: number;
  readonly virtualMs: number;
}

/** Throws a `ProxyViolation`, or whatever the engine throws. */
export function playProxy(
  scenario: ProxyScenario,
  makeEngine: MakeEngine = (now, options) => new Engine(now, options),
): ProxyRun {
  return new ProxyWorld(scenario, makeEngine).run();
}

class ProxyWorld {
  readonly #scenario: ProxyScenario;
  readonly #queue = new EventQueue();
  readonly #ledger = new Ledger();
  readonly #prng: Prng;
  readonly #engine: Engine;
  readonly #servers = new Map<string, SimServer>();
  readonly #clients: SimClient[] = [];
  readonly #absent = new Set<string>();
  /** Where the engine's bytes for clients are queued. */
  readonly #engineEnds: LinkEnd[] = [];
  #wakeAt = Infinity;
  #events = 0;

  constructor(scenario: ProxyScenario, makeEngine: MakeEngine) {
    this.#scenario = scenario;
    this.#prng = new Prng(scenario.seed);
    for (const plan of scenario.servers) {
      const nature = this.#nature(plan.pieces);
      const { ledger, prng } = { ledger: this.#ledger, prng: this.#prng };
      this.#servers.set(
        plan.name,
        new SimServer(plan, { queue: this.#queue, ledger, prng, nature }),
      );
    }
    this.#engine = makeEngine(0, {
      connector: {
        connect: (target, peer) => this.#servers.get(target.server)!.connect(target, peer),
      },
      sinks: { access() {}, event() {} },
      prng: this.#prng.fork(),
    });
    this.#engine.setWallClock(0, 1_700_000_000_000);
    this.#engine.configure(0, settingsOf(scenario));
    this.#plan();
  }

  run(): ProxyRun {
    const queue = this.#queue;
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
    this.#checkEnd();
    const entries = [...this.#ledger.entries.values()];
    return { entries, events: this.#events, virtualMs: queue.now };
  }

  #plan(): void {
    const { clients, faults, drainAtMs } = this.#scenario;
    for (const [i, plan] of clients.entries()) {
      for (const request of plan.requests) this.#ledger.entries.set(request.id, new Entry(request));
      this.#queue.at(plan.startMs, () => {
        const open = (): LinkEnd => this.#open(i, plan.pieces);
        const { ledger, prng } = { ledger: this.#ledger, prng: this.#prng };
        this.#clients.push(new SimClient(plan, { queue: this.#queue, ledger, prng, open }));
      });
    }
    for (const fault of faults) this.#planFault(fault);
    if (drainAtMs >= 0) this.#queue.at(drainAtMs, () => this.#engine.drain(this.#queue.now));
  }

  #open(client: number, pieces: Pieces): LinkEnd {
    const [clientEnd, engineEnd] = linkedEnds(this.#queue, this.#nature(pieces));
    const origin = {
      frontend: FRONTEND,
      source: `192.0.2.${client + 1}`,
      sourcePort: 40_000,
      localAddress: "10.0.0.100",
      localPort: 80,
      http2: false,
    };
    this.#engineEnds.push(engineEnd);
    engineEnd.attach(this.#engine.accept(this.#queue.now, engineEnd, origin));
    return clientEnd;
  }

  #nature(pieces: Pieces): LinkNature {
    const { kernelBytes, markBytes, delayMs } = this.#scenario;
    const prng = this.#prng;
    return {
      delayMs: () => (delayMs === 0 ? 0 : delayMs * prng.fraction()),
      cut: (waiting) =>
        pieces === "bytes" ? 1 : pieces === "whole" ? waiting : prng.between(1, waiting),
      kernelBytes,
      markBytes,
    };
  }

  #wake(): void {
    this.#wakeAt = Infinity;
    this.#engine.wake(this.#queue.now);
  }

  #planFault({ server, atMs, durationMs, kind }: HostFault): void {
    const name = this.#scenario.servers[server]!.name;
    this.#queue.at(atMs, () => this.#fault(name, kind, true));
    this.#queue.at(atMs + durationMs, () => this.#fault(name, kind, false));
  }

  #fault(name: string, kind: HostFault["kind"], begins: boolean): void {
    const engine = this.#engine;
    const { now } = this.#queue;
    const server = this.#servers.get(name)!;
    switch (kind) {
      case "refuse":
      case "swallow":
        server.manner = begins ? kind : "accept";
        return;
      case "die":
        if (begins) server.die();
        else server.manner = "accept";
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
        engine.configure(now, settingsOf(this.#scenario, this.#absent));
    }
  }

  #checkMemory(): void {
    const bound = BYTES_PER_CLIENT * Math.max(1, this.#engine.connections);
    if (this.#engine.lentBytes > bound)
      throw new ProxyViolation("memory", `${this.#engine.lentBytes} bytes kept, bound ${bound}`);
  }

  /** A client that does not read must stop its server, not fill our memory. */
  #checkQueues(): void {
    const bound = this.#scenario.markBytes + MAX_OVERSHOOT;
    for (const { maxQueued } of this.#engineEnds) {
      if (maxQueued <= bound) continue;
      throw new ProxyViolation("memory", `${maxQueued} bytes queued for a client, bound ${bound}`);
    }
  }

  #checkEnd(): void {
    const engine = this.#engine;
    this.#checkQueues();
    if (this.#clients.some((client) => !client.settled)) {
      throw new ProxyViolation("no-answer", "a client waits for ever");
    }
    for (const entry of this.#ledger.entries.values()) {
      if (entry.outcome === "waiting") {
        throw new ProxyViolation("no-answer", `${entry.plan.id} was never answered`);
      }
      if (isCalm(this.#scenario)) this.#checkSuccess(entry);
    }
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

  /** Nothing was wrong with servers or clients: no request may notice that there is a proxy. */
  #checkSuccess({ plan, outcome, fromServer, status, deliveries }: Entry): void {
    if (outcome === "answered" && fromServer) return;
    if (outcome === "unsent") return;
    // Behind an answer that ended the connection.
    if (outcome === "cut" && deliveries.length === 0) return;
    // A kept connection that the server was just closing: such a request is not sent again.
    if (!isIdempotent(plan) || plan.bodyLength > this.#scenario.bufferBytes / 2) return;
    throw new ProxyViolation("must-succeed", `${plan.method} ${plan.id}: ${outcome} ${status}`);
  }
}

/** Neither servers nor clients nor the operator do anything that could cost a request. */
function isCalm(scenario: ProxyScenario): boolean {
  const { clients, servers, faults, drainAtMs, queueLimit } = scenario;
  // A server that closes connections before their first request can come.
  if (servers.some(({ keepAliveMs }) => keepAliveMs < 1000)) return false;
  if (faults.length > 0 || drainAtMs >= 0 || queueLimit < 100) return false;
  return clients.every(
    ({ requests, readPauseMs, leavesAfterSent, leavesAfterRead }) =>
      readPauseMs === 0 &&
      leavesAfterSent < 0 &&
      leavesAfterRead < 0 &&
      requests.every(({ answers }) =>
        answers.every(({ fault, when }) => fault.kind === "none" && when === "complete"),
      ),
  );
}
