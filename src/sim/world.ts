/**
 * A scenario played from boot to the last check: everything starts, settles, is broken, is
 * healed, and must settle again. The oracles look at it after every single event.
 */

import { Prng } from "../lib/prng.ts";
import { Client } from "./client.ts";
import { EventQueue } from "./event-queue.ts";
import { plan } from "./faults.ts";
import { Network, type Station } from "./network.ts";
import { Node } from "./node.ts";
import { Oracles } from "./oracles.ts";
import type { MakeRouter } from "./process.ts";
import {
  convergenceMs,
  slowestIntervalMs,
  slowestLinkMs,
  type Fault,
  type Scenario,
} from "./scenario.ts";
import { virtualAddresses } from "./settings-draft.ts";
import { Trace } from "./trace.ts";
import { Violation, type Muted } from "./violation.ts";

export interface Outcome {
  readonly hash: number;
  readonly events: number;
  /** Virtual ms that passed. */
  readonly durationMs: number;
  readonly violation: Violation | undefined;
  /** Empty unless asked for. */
  readonly lines: readonly string[];
}

/** A run that needs more events than this is a live-lock of the whole world. */
const MAX_EVENTS = 2_000_000;

export interface PlayOptions {
  /** Keep the readable trace. */
  readonly trace?: boolean;
  readonly muted?: Muted;
}

export function play(
  scenario: Scenario,
  makeRouter: MakeRouter,
  options: PlayOptions = {},
): Outcome {
  const world = new World(scenario, makeRouter, options);
  let violation: Violation | undefined;
  try {
    world.run();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
    const { oracle, atMs, message } = error;
    world.trace.add(atMs, "ORACLE", `${oracle}: ${message}`);
  }
  const { hash, events, lines } = world.trace;
  return { hash, events, durationMs: world.queue.now, violation, lines };
}

export class World {
  readonly scenario: Scenario;
  readonly queue: EventQueue = new EventQueue();
  readonly trace: Trace;
  readonly network: Network;
  readonly nodes: readonly Node[];
  readonly clients: readonly Client[];
  readonly oracles: Oracles;

  constructor(scenario: Scenario, makeRouter: MakeRouter, options: PlayOptions) {
    this.scenario = scenario;
    this.trace = new Trace(options.trace === true);
    const { queue, trace } = this;
    const prng = new Prng(scenario.seed);
    this.network = new Network(queue, prng.fork(), scenario.link, (segment, from, to, lost) => {
      const value = ((segment * 64 + from) * 64 + to) * 2 + (lost ? 1 : 0);
      trace.addLazily(queue.now, "net", value, () => this.#describe(from, to, lost));
    });
    const clients: Client[] = [];
    this.oracles = new Oracles(clients);
    const { network, oracles } = this;
    const muted = options.muted ?? new Set();
    const around = { scenario, queue, network, trace, makeRouter, watch: oracles, muted };
    this.nodes = scenario.nodes.map(
      (planned, index) => new Node(index, planned, { ...around, prng: prng.fork() }),
    );
    for (let i = 0; i < scenario.clients * scenario.group.instances; i++) {
      const segment = i % scenario.group.instances;
      clients.push(new Client(`c${i + 1}`, segment, this, scenario.clientCacheMs));
    }
    this.clients = clients;
    this.oracles.enrol(this.nodes, scenario.group.instances);
  }

  /** Throws the `Violation` that an oracle found. */
  run(): void {
    const { scenario, queue } = this;
    const interval = slowestIntervalMs(scenario);
    const settleMs = convergenceMs(scenario) + scenario.group.announceRefreshMs;
    for (const node of this.nodes) queue.at(node.plan.bootAtMs, () => node.start());
    this.#probeEvery(interval * 0.7);
    const booted = Math.max(...scenario.nodes.map((node) => node.bootAtMs));
    this.#phase("boot", booted + settleMs);
    this.#phase("calm", queue.now + CALM_INTERVALS * interval);
    const chaosStart = queue.now;
    const chaosEnd = chaosStart + scenario.chaosMs;
    for (const fault of scenario.faults) plan(this, fault, chaosStart, chaosEnd);
    this.#phase("chaos", chaosEnd);
    for (const node of this.nodes) {
      queue.at(queue.now, () => {
        node.start();
        if (Object.keys(node.process?.edit ?? {}).length > 0) node.process?.reconfigure({});
      });
    }
    this.#phase("heal", queue.now + settleMs + this.#lateFramesMs() + this.#restoreMs());
    this.#phase("settled", queue.now + CALM_INTERVALS * interval);
  }

  peer(fault: Fault): Node {
    return this.nodes[fault.other % this.nodes.length]!;
  }

  stationOf(station: Station): number[] {
    const index = this.network.stations.indexOf(station);
    return index < 0 ? [] : [index];
  }

  #phase(name: "boot" | "calm" | "chaos" | "heal" | "settled", untilMs: number): void {
    this.trace.add(this.queue.now, "world", `-- ${name} --`);
    this.oracles.settled = name === "calm" || name === "settled";
    const { queue, oracles } = this;
    while (queue.nextTime <= untilMs) {
      queue.runNext();
      oracles.afterEvent();
      if (this.trace.events > MAX_EVENTS) {
        throw new Violation("machine-sound", queue.now, "the world never comes to rest");
      }
    }
    queue.at(untilMs, () => {});
    queue.runNext();
    oracles.afterEvent();
  }

  #probeEvery(everyMs: number): void {
    const { queue, scenario } = this;
    let round = 0;
    const probe = (): void => {
      for (const client of this.clients) {
        const addresses = virtualAddresses(scenario, client.segment);
        client.probe(addresses[round % addresses.length]!);
      }
      round++;
      queue.after(everyMs, probe);
    };
    queue.at(0, probe);
  }

  /** Frames that a slow link still carries when it is healed. */
  #lateFramesMs(): number {
    const slow = this.scenario.faults.filter((fault) => fault.kind === "slow-link");
    const factor = slow.reduce((sum, fault) => sum + fault.strength * 2, 0);
    return factor * slowestIntervalMs(this.scenario) + slowestLinkMs(this.scenario);
  }

  /** The router puts an address back the more slowly the more often a stranger removes it. */
  #restoreMs(): number {
    const removals = this.scenario.faults.filter((fault) => fault.kind === "remove-address").length;
    return removals === 0 ? 0 : FIRST_RESTORE_PAUSE_MS * 2 ** removals;
  }

  #describe(from: number, to: number, lost: boolean): string {
    const name = (index: number): string => this.network.stations[index]?.name ?? "?";
    return `${name(from)} -> ${name(to)}${lost ? " LOST" : ""}`;
  }
}

/** How long nothing may change once all is well, in intervals of the slowest node. */
const CALM_INTERVALS = 4;
const FIRST_RESTORE_PAUSE_MS = 50;
