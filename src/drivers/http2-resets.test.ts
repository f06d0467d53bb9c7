/** Clients of HTTP/2 that ask and take back. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import type { ClientOrigin, Peer } from "../core/proxy/wire.ts";
import { serveHttp2 } from "./http2-front.ts";
import { StreamLoop } from "./stream-loop.ts";

const origin: ClientOrigin = {
  frontend: "web",
  source: "127.0.0.1",
  sourcePort: 1,
  localAddress: "127.0.0.1",
  localPort: 1,
  http2: true,
};
const nobody: Peer = { received() {}, drained() {}, ended() {}, closed() {} };

/** RFC 9113 section 4.1. */
function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const PREFACE = Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0)]);
/** http / with the authority `a`. RFC 7541, appendix A. */
const GET = Buffer.from([0x82, 0x86, 0x84, 0x01, 0x01, 0x61]);
const CANCEL = Buffer.from([0, 0, 0, 8]);
/** Type, flags and stream of its frame. */
const GOAWAY = Buffer.from([7, 0, 0, 0, 0, 0]);

/** Whether a client with so many requests taken back is told to go before a later sign of life. */
async function isSentAway(resets: number): Promise<boolean> {
  const loop = new StreamLoop({ afterTurn: () => void setImmediate(() => {}) });
  const acceptor = { accept: () => nobody };
  const limits = { keepAliveMs: 5000, headBytes: 16384, streams: Infinity };
  const options = { acceptor, origin, fd: -1, ...limits };
  const server = createServer((socket: Socket) => void serveHttp2(loop, socket, options));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const ids = Array.from({ length: resets }, (_, i) => 2 * i + 1);
  const frames = ids.flatMap((id) => [frame(1, 5, id, GET), frame(3, 0, id, CANCEL)]);
  const ping = (which: number): Buffer => frame(6, 0, 0, Buffer.alloc(8, which));
  socket.write(Buffer.concat([PREFACE, ...frames, ping(0xf1)]));
  let came = Buffer.alloc(0);
  const isThere = (which: number): boolean => came.includes(Buffer.alloc(8, which));
  const end = Promise.withResolvers<boolean>();
  socket.on("data", (bytes: Buffer) => {
    came = Buffer.concat([came, bytes]);
    if (isThere(0xf2) || came.includes(GOAWAY)) end.resolve(came.includes(GOAWAY));
    else if (isThere(0xf1)) socket.write(ping(0xf2));
  });
  socket.on("error", () => {});
  socket.on("close", () => end.resolve(true));
  const isAway = await end.promise;
  socket.destroy();
  server.close();
  loop.close();
  return isAway;
}

test("a client that takes back more than twice the requests it may have at once is sent away", async () => {
  assert.equal(await isSentAway(200), false);
  assert.equal(await isSentAway(400), true);
});
