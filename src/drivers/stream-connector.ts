/** Connections to servers; alone, without TLS. */

import type { ConnectTarget, Connector, ServerPeer, Wire } from "../core/proxy/wire.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  EINVAL,
  errnoName,
  openSocket,
  setSocketOption,
  SOCK_NONBLOCK,
} from "./ffi.ts";
import { internetSockaddr, unixSockaddr } from "./stream-address.ts";
import * as calls from "./stream-calls.ts";
import type { StreamLoop } from "./stream-loop.ts";
import { StreamWire, WIRE_EVENTS } from "./stream-wire.ts";

/** Made once per endpoint: the bytes of its address. */
interface Destination {
  readonly family: number;
  readonly address: Uint8Array | undefined;
}

export class StreamConnector implements Connector {
  readonly #loop: StreamLoop;
  /** By the endpoint object, which lives as long as the configuration that it stands in. */
  readonly #destinations = new WeakMap<ConnectTarget["endpoint"], Destination>();

  constructor(loop: StreamLoop) {
    this.#loop = loop;
  }

  connect(target: ConnectTarget, peer: ServerPeer): Wire {
    return this.connectAs(target, (fd) => new StreamWire(this.#loop, fd, peer));
  }

  /** With a wire of the caller's kind, which takes the descriptor over. */
  connectAs(target: ConnectTarget, make: (fd: number) => StreamWire): Wire {
    const { family, address } = this.#destination(target.endpoint);
    const fd = openSocket(family, calls.SOCK_STREAM | SOCK_NONBLOCK, 0);
    const wire = make(fd);
    if (fd < 0) {
      wire.fail(errnoName(fd));
      return wire;
    }
    if (family !== AF_UNIX) setSocketOption(fd, calls.IPPROTO_TCP, calls.TCP_NODELAY, 1);
    if (target.head !== undefined) wire.sendAhead(target.head);
    const result = address === undefined ? -EINVAL : calls.connectStream(fd, address);
    if (result < 0 && result !== -calls.EINPROGRESS) {
      wire.fail(errnoName(result));
      return wire;
    }
    const watched = this.#loop.add(wire, WIRE_EVENTS);
    if (watched < 0) wire.fail(errnoName(watched));
    return wire;
  }

  #destination(endpoint: ConnectTarget["endpoint"]): Destination {
    const known = this.#destinations.get(endpoint);
    if (known !== undefined) return known;
    const address =
      endpoint.kind === "unix"
        ? unixSockaddr(endpoint.path)
        : internetSockaddr(endpoint.address, endpoint.port);
    const family = endpoint.kind === "unix" ? AF_UNIX : address?.length === 28 ? AF_INET6 : AF_INET;
    const destination = { family, address };
    this.#destinations.set(endpoint, destination);
    return destination;
  }
}
