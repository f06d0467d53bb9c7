/** TLS connections to servers by Node's own streams, where OpenSSL cannot be called directly. */

import { connect as connectSocket, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, type ConnectionOptions } from "node:tls";
import type { ConnectTarget, Connector, ServerPeer, Wire } from "../core/proxy/wire.ts";
import { serverWire } from "./duplex-wire.ts";
import type { StreamLoop } from "./stream-loop.ts";
import { type PoolTls, readPoolFiles } from "./tls-files.ts";
import { expectedServer } from "./tls-server-name.ts";

/** Sessions that are kept for resumption: one per server. */
const MAX_SESSIONS = 10_000;

export class NodeTlsConnector implements Connector {
  readonly #loop: StreamLoop;
  readonly #options: ConnectionOptions;
  readonly #serverName: string | undefined;
  readonly #sessions = new Map<string, Buffer>();

  /** Reads the files. Throws with the reason when one cannot be used. */
  constructor(loop: StreamLoop, tls: PoolTls) {
    this.#loop = loop;
    const { verify } = tls;
    const { ca, certificate, key } = readPoolFiles(tls);
    this.#serverName = tls.serverName;
    const secureContext = createSecureContext({
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
    });
    this.#options = {
      secureContext,
      rejectUnauthorized: verify,
      ALPNProtocols: ["http/1.1"],
    };
  }

  connect(target: ConnectTarget, peer: ServerPeer): Wire {
    const { endpoint } = target;
    const raw: Socket =
      endpoint.kind === "unix"
        ? connectSocket({ path: endpoint.path, allowHalfOpen: true })
        : connectSocket({
            host: endpoint.address,
            port: endpoint.port,
            noDelay: true,
            allowHalfOpen: true,
          });
    // In the clear, before the handshake: the PROXY header.
    if (target.head !== undefined) raw.write(Buffer.from(target.head));
    const name = `${target.pool}/${target.server}`;
    const session = this.#sessions.get(name);
    const host = endpoint.kind === "unix" ? {} : { host: endpoint.address };
    const expected = this.#serverName ?? (endpoint.kind === "ip" ? endpoint.host : undefined);
    const socket = connectTls({
      ...this.#options,
      ...host,
      ...(expected === undefined ? {} : expectedServer(expected)),
      socket: raw,
      ...(session === undefined ? {} : { session }),
    });
    socket.on("session", (fresh: Buffer) => {
      if (this.#sessions.size >= MAX_SESSIONS) this.#sessions.clear();
      this.#sessions.set(name, fresh);
    });
    // Without this a refused connect is an error of a socket that nobody listens to.
    raw.on("error", (error) => socket.destroy(error));
    this.#loop.touchNode();
    return serverWire(this.#loop, socket, { peer, ready: "secureConnect" });
  }

  close(): void {
    this.#sessions.clear();
  }
}
