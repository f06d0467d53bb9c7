/** Servers of one tier and the algorithm that picks among them. */

import type { Candidates, Picker } from "./picker.ts";
import type { PickRequest } from "./pool-ports.ts";
import type { Server, TierLoad } from "./server.ts";

export class Tier implements Candidates {
  readonly number: number;
  readonly #picker: Picker;
  readonly load: TierLoad = { active: 0 };
  members: readonly Server[] = [];
  usable: readonly Server[] = [];
  /** Too few are healthy: all that are ready serve. */
  panic = false;

  constructor(number: number, picker: Picker) {
    this.number = number;
    this.#picker = picker;
  }

  get active(): number {
    return this.load.active;
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
    this.load.active = 0;
    for (const server of this.members) {
      server.load = this.load;
      server.usable = panic ? isReady(server) : server.healthy;
      if (server.usable) this.load.active += server.active;
    }
    this.usable = this.members.filter((server) => server.usable);
    this.#picker.rebuild(this);
  }

  pick(now: number, request: PickRequest): Server | undefined {
    return this.#picker.pick(now, request);
  }

  hasUntried(tried: readonly Server[]): boolean {
    return this.usable.some((server) => !tried.includes(server));
  }
}

function isReady(server: Server): boolean {
  return server.admin === "ready" && server.weight > 0;
}
