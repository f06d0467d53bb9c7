/** The answer to `pick`, with a reason that costs nothing unless somebody asks. */

import type { Pick, PickWhy } from "./pool-ports.ts";
import type { Roster } from "./roster.ts";
import type { Server } from "./server.ts";

/** Servers named in one sentence. */
const NAMED = 5;

export class PickAnswer implements Pick {
  readonly #roster: Roster;
  server: Server | undefined = undefined;
  why: PickWhy = "none-usable";
  /** The one that the client is bound to. */
  bound: Server | undefined = undefined;

  constructor(roster: Roster) {
    this.#roster = roster;
  }

  set(server: Server | undefined, why: PickWhy): this {
    this.server = server;
    this.why = why;
    return this;
  }

  get reason(): string {
    const { bound } = this;
    const serving = this.#roster.serving;
    const usable = serving?.usable.length ?? 0;
    const members = serving?.members.length ?? 0;
    switch (this.why) {
      case "algorithm":
        return `${usable} of ${members} servers are usable`;
      case "sticky":
        return "the client is bound to it";
      case "redispatched":
        return `bound to ${bound === undefined ? "a server that is gone" : inShort(bound)}`;
      case "tier":
        return `tier ${this.server?.settings.tier} serves, nobody before it can`;
      case "panic":
        return `panic: ${serving?.healthy} of ${members} servers are healthy, all are used`;
      case "queue":
        if (bound?.reachable) return `bound to ${bound.name}, which is full`;
        return `all ${usable} usable servers are full`;
      case "all-tried":
        return "all usable servers were tried";
      case "none-usable":
        return `no server is usable: ${this.#everybody()}`;
    }
  }

  #everybody(): string {
    const { servers } = this.#roster;
    if (servers.length === 0) return "there is none";
    const named = servers.slice(0, NAMED).map(inShort);
    if (servers.length > NAMED) named.push(`${servers.length - NAMED} more`);
    return named.join(", ");
  }
}

function inShort(server: Server): string {
  const state = server.weight === 0 && server.inService ? "weight 0" : server.state;
  return `${server.name} ${state} (${server.stateReason})`;
}
