/** How servers are reached: plain or by TLS, as their pool says. */

import type { PoolSettings } from "../core/balance/pool-settings.ts";
import type { ConnectTarget, Connector, ServerPeer, Wire } from "../core/proxy/wire.ts";
import { StreamConnector } from "../drivers/stream-connector.ts";
import type { StreamLoop } from "../drivers/stream-loop.ts";
import { tlsConnector, type TlsConnector } from "../drivers/tls-connector.ts";

export class Connectors implements Connector {
  readonly #loop: StreamLoop;
  readonly #plain: StreamConnector;
  /** By pool. */
  #secure = new Map<string, TlsConnector>();

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
    for (const connector of this.#secure.values()) connector.close();
    this.#secure = secure;
  }

  connect(target: ConnectTarget, peer: ServerPeer): Wire {
    if (this.#secure.size === 0) return this.#plain.connect(target, peer);
    return (this.#secure.get(target.pool) ?? this.#plain).connect(target, peer);
  }
}
