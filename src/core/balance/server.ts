/** One server of a pool: what is known of it. Only the pool and its parts write here. */

import type { AdminChange } from "./pool-ports.ts";
import type { ServerSettings } from "./pool-settings.ts";

export class Server {
  /** Never used again within the pool's life: for arrays and maps of the engine. */
  readonly id: number;
  readonly name: string;
  settings: ServerSettings;

  /** Attempts running now. */
  active = 0;
  started = 0;
  failed = 0;

  /** Gets requests that are bound to no server: up, in, ready, with a weight. */
  usable = false;
  /** With percentage and slow start; what algorithms go by. */
  weight = 0;
  /** Without slow start: for tables, whose keys must not wander while a server warms up. */
  settledWeight = 0;

  admin: AdminChange | undefined = undefined;

  constructor(id: number, settings: ServerSettings) {
    this.id = id;
    this.name = settings.name;
    this.settings = settings;
  }

  /** Not one more request at the moment. */
  get full(): boolean {
    const { maxConnections } = this.settings;
    return maxConnections !== 0 && this.active >= maxConnections;
  }
}
