import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync } from "node:fs";
import { ipBatch } from "./command.ts";
import { NETNS_DIRECTORY, connect, startInit } from "./host-boot.ts";
import { Host } from "./host.ts";
import * as leftovers from "./leftovers.ts";
import { layOut } from "./plan.ts";
import type { SegmentPlan, WorldPlan, WorldState } from "./plan.ts";
import { isAlive, pidsInNetworkNamespace, signal } from "./process-table.ts";
import { waitFor } from "./wait.ts";

/** How long `destroy` waits for killed processes to be gone. */
const LONGEST_DYING_MS = 2000;

/** And `powerOff`, which may wait longer: a machine may be busy with something else. */
const LONGEST_CUT_MS = 15_000;

let worldsBuilt = 0;

/**
 * Computers and cables inside one kernel. Needs root, or a user namespace in which we are root
 * (`enterUserNamespace`). Costs about 0.1 s; goes away with this process at the latest.
 */
export class World {
  readonly state: WorldState;
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #inits = new Map<string, ChildProcess>();
  #destroyed = false;

  private constructor(state: WorldState) {
    this.state = state;
    this.#hosts = new Map(state.hosts.map((h) => [h.name, new Host(h, state.wire)]));
  }

  /** Builds the world, all of it or nothing. Throws PlanError, MissingTool, CommandFailed. */
  static async create(plan: WorldPlan): Promise<World> {
    if (worldsBuilt === 0) leftovers.sweepLeftovers();
    const prefix = `nines-${process.pid}-${worldsBuilt++}`;
    return World.#build(plan, { prefix, persistent: false });
  }

  /**
   * Builds a world that goes on living after this process: only `destroy` ends it. `prefix`
   * names its namespaces and must be nobody else's.
   */
  static createPersistent(plan: WorldPlan, prefix: string): Promise<World> {
    return World.#build(plan, { prefix, persistent: true });
  }

  /** A handle on a living world that another process built. */
  static attach(state: WorldState): World {
    for (const host of state.hosts) {
      const path = `${NETNS_DIRECTORY}/${host.namespace}`;
      const living = host.initPid !== undefined && pidsInNetworkNamespace(path);
      // A number that somebody else got meanwhile must not be signalled.
      if (living === false || !living.includes(host.initPid!)) host.initPid = undefined;
    }
    return new World(state);
  }

  static async #build(
    plan: WorldPlan,
    place: { prefix: string; persistent: boolean },
  ): Promise<World> {
    // A mistake in the plan is told before anything is made.
    layOut(plan, { ...place, directory: "" });
    const directory = mkdtempSync(`${leftovers.WORLDS_DIRECTORY}/${place.prefix}-`);
    // Daemons that drop their privileges must reach their files.
    chmodSync(directory, 0o755);
    const world = new World(layOut(plan, { ...place, directory }));
    leftovers.destroyAtExit(world);
    try {
      await world.#raise();
    } catch (error) {
      world.destroy();
      throw error;
    }
    if (place.persistent) leftovers.forget(world);
    return world;
  }

  get name(): string {
    return this.state.name;
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /** Throws when the plan has no such host. */
  host(name: string): Host {
    const found = this.#hosts.get(name);
    if (found !== undefined) return found;
    throw new Error(`no host '${name}' (there are: ${[...this.#hosts.keys()].join(", ")})`);
  }

  /**
   * Kills every process of the host at once and takes its interfaces away: nobody says good-bye,
   * and nothing of its kernel's state remains. Resolves when both have happened.
   */
  async powerOff(name: string): Promise<void> {
    const host = this.host(name);
    if (!host.isOn) return;
    // The cables first: processes die one after the other, but a power cut silences all at once.
    await ipBatch(
      host.state.interfaces.map((i) => `link set ${i.port} down`),
      this.state.wire,
    );
    const init = this.#killInit(host);
    await ipBatch(
      host.state.interfaces.map((i) => `link del ${i.port}`),
      this.state.wire,
    );
    // The kernel lets process 1 end only after it has ended all others.
    await waitFor(() => init === undefined || !isAlive(init), LONGEST_CUT_MS, "a power cut");
    this.#bury(host);
    await ipBatch([`netns del ${host.namespace}`]);
  }

  /** The host as new: interfaces and addresses of the plan, no process. Its files are kept. */
  async powerOn(name: string): Promise<void> {
    const host = this.host(name);
    if (host.isOn) return;
    await ipBatch([`netns add ${host.namespace}`]);
    await this.#boot(host);
    await connect(host.state, this.state);
  }

  /** What every host logged: shown when something failed. */
  report(): string {
    return this.hosts.map((host) => host.report()).join("");
  }

  /** Ends all processes, removes all namespaces and files. Synchronous, so that it works while
   *  the process exits; may be called again. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    leftovers.forget(this);
    const inits = this.hosts.map((host) => this.#killInit(host));
    const namespaces = [...this.hosts.map((h) => h.namespace), this.state.wire];
    // Wrappers outside of the hosts' PID namespaces, stopped ones among them.
    const wrappers = leftovers.endProcessesIn(namespaces);
    waitUntilGone([...inits.filter((pid) => pid !== undefined), ...wrappers]);
    leftovers.removeNamespaces(namespaces);
    leftovers.removeDirectory(this.state.directory);
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  async #raise(): Promise<void> {
    const names = [this.state.wire, ...this.hosts.map((h) => h.namespace)];
    await ipBatch(names.map((name) => `netns add ${name}`));
    await Promise.all([this.#buildSegments(), ...this.hosts.map((host) => this.#boot(host))]);
    await Promise.all(this.hosts.map((host) => connect(host.state, this.state)));
  }

  async #buildSegments(): Promise<void> {
    await ipBatch(this.state.segments.flatMap(segmentCommands), this.state.wire);
  }

  async #boot(host: Host): Promise<void> {
    this.#inits.set(host.name, await startInit(host.state, this.state.persistent));
  }

  #killInit(host: Host): number | undefined {
    const pid = host.state.initPid;
    host.state.initPid = undefined;
    if (pid !== undefined) signal(pid, "SIGKILL");
    for (const process of host.processes) process.wakeWrapper();
    return pid;
  }

  /** Wrappers of its dead processes. */
  #bury(host: Host): void {
    leftovers.endProcessesIn([host.namespace]);
    this.#inits.delete(host.name);
  }
}

/** Runs `body` in a world; destroys it in any case, and adds its logs to what `body` throws. */
export async function withWorld<T>(
  plan: WorldPlan,
  body: (world: World) => Promise<T>,
): Promise<T> {
  const world = await World.create(plan);
  try {
    return await body(world);
  } catch (error) {
    if (error instanceof Error) error.message += `\n${world.report()}`;
    throw error;
  } finally {
    world.destroy();
  }
}

/** Bridges get no address, not even a link-local one: a switch does not talk. */
function segmentCommands(segment: SegmentPlan): string[] {
  const snooping = segment.multicastSnooping === true ? 1 : 0;
  return [
    `link add ${segment.name} type bridge stp_state 0 forward_delay 0 mcast_snooping ${snooping}`,
    `link set ${segment.name} addrgenmode none up`,
  ];
}

/** Blocks: on the exit path nothing can be awaited. */
function waitUntilGone(pids: readonly number[]): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const end = performance.now() + LONGEST_DYING_MS;
  while (pids.some(isAlive) && performance.now() < end) Atomics.wait(cell, 0, 0, 1);
}
