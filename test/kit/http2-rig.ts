/** Clients of HTTP/2 and their frames before what serves them; the engine behind it is the test's. */

import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import type { ClientOrigin, Peer, Wire } from "../../src/core/proxy/wire.ts";
import { serveHttp2 } from "../../src/drivers/http2-front.ts";
import { StreamLoop } from "../../src/drivers/stream-loop.ts";

const ORIGIN: ClientOrigin = {
  frontend: "web",
  source: "127.0.0.1",
  sourcePort: 1,
  localAddress: "127.0.0.1",
  localPort: 1,
  http2: true,
};

/** What the engine is towards one stream: the head goes to `begin`, the body where it says. */
export type Engine = (wire: Wire, head: string) => Partial<Peer>;

const nobody: Peer = { received() {}, drained() {}, ended() {}, closed() {} };

/** Heads of these tests are short: they come in one piece. */
function acceptor(engine: Engine): { accept(now: number, wire: Wire): Peer } {
  return {
    accept(_now, wire) {
      let peer: Peer | undefined;
      return {
        received(now, bytes, from, to) {
          if (peer !== undefined) return peer.received(now, bytes, from, to);
          peer = { ...nobody, ...engine(wire, Buffer.from(bytes.subarray(from, to)).toString()) };
        },
        drained: (now) => peer?.drained(now),
        ended: (now) => peer?.ended(now),
        closed: (now, reason) => peer?.closed(now, reason),
      };
    },
  };
}

export async function withHttp2Server(
  engine: Engine,
  body: (port: number) => Promise<void>,
  keepAliveMs = 5000,
): Promise<void> {
  const loop = new StreamLoop({ afterTurn: () => void setImmediate(() => {}) });
  const limits = { keepAliveMs, headBytes: 16384, streams: Infinity };
  const options = { acceptor: acceptor(engine), origin: ORIGIN, ...limits };
  const serve = (socket: Socket): void => {
    // Not in the types of Node.
    const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle;
    serveHttp2(loop, socket, { ...options, fd });
  };
  const server = createServer({ allowHalfOpen: true }, serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    await body(port);
  } finally {
    server.close();
    loop.close();
  }
}

/** One frame (RFC 9113 section 4.1). */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const PREFACE: Buffer = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  frame(4, 0, 0),
]);
