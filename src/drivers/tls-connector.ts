/** TLS connections to servers. */

import { isIP } from "node:net";
import { getCACertificates } from "node:tls";
import type { ConnectTarget, Connector, ServerPeer, Wire } from "../core/proxy/wire.ts";
import { StreamConnector } from "./stream-connector.ts";
import type { StreamLoop } from "./stream-loop.ts";
import { TlsContext } from "./tls-context.ts";
import { type PoolTls, readPoolFiles } from "./tls-files.ts";
import { tlsLibrary, type TlsLibrary } from "./tls-library.ts";
import { NodeTlsConnector } from "./tls-node-connector.ts";
import { TlsSession } from "./tls-session.ts";
import { TlsWire } from "./tls-wire.ts";

/** Sessions that are kept for resumption: one per server. */
const MAX_SESSIONS = 10_000;

export interface TlsConnector extends Connector {
  /** Starts no more; connections that stand go on. */
  close(): void;
}

/** Reads the files. Throws with the reason when one cannot be used. */
export function tlsConnector(loop: StreamLoop, tls: PoolTls, through?: "node"): TlsConnector {
  const library = through === "node" ? undefined : tlsLibrary();
  if (library === undefined) return new NodeTlsConnector(loop, tls);
  return new DirectConnector(library, loop, tls);
}

class DirectConnector implements TlsConnector {
  readonly #library: TlsLibrary;
  readonly #loop: StreamLoop;
  readonly #tls: PoolTls;
  readonly #context: TlsContext;
  readonly #streams: StreamConnector;
  /** Addresses of sessions, owned. */
  readonly #sessions = new Map<string, number>();
  #isClosed = false;

  constructor(library: TlsLibrary, loop: StreamLoop, tls: PoolTls) {
    const { verify } = tls;
    const { ca, ...own } = readPoolFiles(tls);
    this.#library = library;
    this.#loop = loop;
    this.#tls = tls;
    this.#streams = new StreamConnector(loop);
    this.#context = TlsContext.client(library, {
      verify,
      ca: ca === undefined ? (verify ? getCACertificates("default") : []) : [ca],
      ...own,
    });
  }

  connect(target: ConnectTarget, peer: ServerPeer): Wire {
    const { verify } = this.#tls;
    const { endpoint } = target;
    const serverName = this.#tls.serverName ?? (endpoint.kind === "ip" ? endpoint.host : undefined);
    const session = new TlsSession(this.#context, "client");
    const address = endpoint.kind === "unix" ? "localhost" : endpoint.address;
    if (verify) session.expect(serverName ?? address);
    // RFC 6066 section 3: no address is sent; servers refuse who does.
    if (serverName !== undefined && isIP(serverName) === 0) session.indicate(serverName);
    const name = `${target.pool}/${target.server}`;
    const known = this.#sessions.get(name);
    if (known !== undefined) session.resume(known);
    const options = {
      session,
      connecting: peer,
      alpn: "nothing" as const,
      secured: (): void => {},
      // By then the server has sent what it has to say about sessions.
      answered: (): void => this.#keep(name, session),
    };
    return this.#streams.connectAs(target, (fd) => new TlsWire(this.#loop, fd, options));
  }

  close(): void {
    this.#isClosed = true;
    this.#forgetSessions();
    this.#context.free();
  }

  #keep(name: string, from: TlsSession): void {
    if (this.#isClosed) return;
    if (this.#sessions.size >= MAX_SESSIONS) this.#forgetSessions();
    const fresh = from.takeSession();
    if (fresh === 0) return;
    const old = this.#sessions.get(name);
    this.#sessions.set(name, fresh);
    if (old !== undefined) this.#library.sessionFree(old);
  }

  #forgetSessions(): void {
    for (const session of this.#sessions.values()) this.#library.sessionFree(session);
    this.#sessions.clear();
  }
}
