/** What Nines itself said on all nodes of a stage, in the order of time. */

import type { NinesEvent, NinesPeer } from "../peers/nines.ts";

/** The nodes of a stage. */
export interface Cast<Name extends string> {
  readonly nodes: readonly Name[];
  /** Nines on that node can be asked. */
  answers(name: Name): boolean;
  nines(name: Name): NinesPeer;
}

export interface ToldEvent<Name extends string = string> {
  readonly server: Name;
  readonly event: NinesEvent;
}

const STORY_KINDS: ReadonlySet<string> = new Set([
  "state-changed",
  "split-brain-found",
  "split-brain-healed",
  "lease-lapsed",
  "starved",
  "server-down",
  "server-up",
  "server-ejected",
  "server-returned",
  "server-drain-started",
  "server-drained",
  "server-ready",
]);

export class EventReader<Name extends string> {
  readonly #cast: Cast<Name>;
  readonly #read = new Map<Name, number>();

  private constructor(cast: Cast<Name>) {
    this.#cast = cast;
  }

  /** Reads on from now. */
  static async open<Name extends string>(cast: Cast<Name>): Promise<EventReader<Name>> {
    const reader = new EventReader(cast);
    await reader.news();
    return reader;
  }

  /** What was said since the last call. */
  async news(): Promise<ToldEvent<Name>[]> {
    const told: ToldEvent<Name>[] = [];
    for (const server of this.#cast.nodes) {
      if (!this.#cast.answers(server)) continue;
      const all = await this.#cast.nines(server).events();
      // A server that was switched on again has a short memory: all of it is new.
      const from = this.#read.get(server) ?? 0;
      for (const event of all.slice(all.length < from ? 0 : from)) told.push({ server, event });
      this.#read.set(server, all.length);
    }
    return told.sort((a, b) => a.event.time.localeCompare(b.event.time));
  }
}

/** Undefined: a detail that is left out of the story. */
export function eventLine({ server, event }: ToldEvent): string | undefined {
  if (!STORY_KINDS.has(event.kind)) return undefined;
  return `${event.time.slice(11, 23)}  ${server}  ${changeOf(event)}: ${event.reason}`;
}

function changeOf({ kind, instance, from, to }: NinesEvent): string {
  if (to !== undefined) return `${from} -> ${to}`;
  return kind.startsWith(OF_SERVER) ? `${instance} ${kind.slice(OF_SERVER.length)}` : kind;
}

const OF_SERVER = "server-";
