/** How servers are reached: plain or by TLS, as their pool says. */

import type { PoolSettings } from "../core/balance/pool-settings.ts";
import type { ConnectTarget, Connector, ServerPeer, Wire } from "../core/proxy/wire.ts";
import { StreamConnector } from "../drivers/stream-connector.ts";
import type { StreamLoop } from "../drivers/stream-loop.ts";
import { tlsConnector, type TlsConnector } from "../drivers/tls-connector.ts";

/** Pools of earlier configurations whose last requests may still have to connect; older ones are forgotten. */
const MOST_GONE = 16;

export class Connectors implements Connector {
  readonly #loop: StreamLoop;
  readonly #plain: StreamConnector;
  /** By pool. */
  #secure = new Map<string, TlsConnector>();
  /** Of pools that are not configured any more. What was begun there must not go on in the clear. */
  #gone = new Map<string, TlsConnector>();

  constructor(loop: StreamLoop) {
    this.#loop = loop;
    this.#plain = new StreamConnector(loop);
  }

  /** Throws, and changes nothing, when a file of some pool cannot be used. */
  configure(pools: readonly PoolSettings[]): void {
    const secure = new Map<string, TlsConnector>();
    try {
      // Made anew each time: the files may have changed. Connections that stand do not notice.
      for (const { name, tls } of pools) {
        if (tls !== undefined) secure.set(name, tlsConnector(this.#loop, tls));
      }
    } catch (error) {
      for (const connector of secure.values()) connector.close();
      throw error;
    }
    const names = new Set(pools.map(({ name }) => name));
    const gone = new Map<string, TlsConnector>();
    for (const [name, connector] of [...this.#secure, ...this.#gone]) {
      if (names.has(name) || gone.size >= MOST_GONE) connector.close();
      else gone.set(name, connector);
    }
    this.#secure = secure;
    this.#gone = gone;
  }

  connect(target: ConnectTarget, peer: ServerPeer): Wire {
    const { pool } = target;
    return (this.#secure.get(pool) ?? this.#gone.get(pool) ?? this.#plain).connect(target, peer);
  }
}
