/** Servers of one tier and the algorithm that picks among them. */

import type { Candidates, Picker } from "./picker.ts";
import type { PickRequest } from "./pool-ports.ts";
import type { Server, TierLoad } from "./server.ts";

/** Of a server without one. */
const NO_LIMIT = 0x7fff_ffff;

export class Tier implements Candidates, TierLoad {
  readonly number: number;
  readonly #picker: Picker;
  members: readonly Server[] = [];
  usable: readonly Server[] = [];
  active = 0;
  actives: Int32Array = new Int32Array(0);
  limits: Int32Array = new Int32Array(0);
  weights: Float64Array = new Float64Array(0);
  /** Too few are healthy: all that are ready serve. */
  panic = false;
  /** Of its pool's quorum, if that has one; begins as if it were there. */
  hasQuorum = true;

  constructor(number: number, picker: Picker) {
    this.number = number;
    this.#picker = picker;
  }

  get healthy(): number {
    return this.members.reduce((count, server) => count + (server.healthy ? 1 : 0), 0);
  }

  /** Those that health is about: ready and with a weight. */
  get ready(): number {
    return this.members.reduce((count, server) => count + (isReady(server) ? 1 : 0), 0);
  }

  /** Says who may be picked from now on; in a panic health is not asked. */
  settle(panic: boolean): void {
    this.panic = panic;
    for (const server of this.members) {
      server.usable = panic ? isReady(server) : server.healthy;
      server.load = server.usable ? this : undefined;
    }
    const usable = this.members.filter((server) => server.usable);
    this.usable = usable;
    this.actives = Int32Array.from(usable, (server) => server.active);
    this.active = this.actives.reduce((sum, active) => sum + active, 0);
    this.limits = Int32Array.from(usable, (server) => server.maxConnections || NO_LIMIT);
    this.weights = Float64Array.from(usable, (server) => server.weight);
    for (let slot = 0; slot < usable.length; slot++) usable[slot]!.slot = slot;
    this.#picker.rebuild(this);
  }

  pick(now: number, request: PickRequest): Server | undefined {
    return this.#picker.pick(now, request);
  }

  /** Where the hash of a key leads, in words; "" for algorithms without. */
  explain(hash: number): string {
    return this.#picker.explain?.(hash) ?? "";
  }

  hasUntried(tried: readonly Server[]): boolean {
    return this.usable.some((server) => !tried.includes(server));
  }
}

function isReady(server: Server): boolean {
  return server.admin === "ready" && server.weight > 0;
}
