/** Bodies through streams of HTTP/2: every byte, in its place, however many streams there are. */

import assert from "node:assert/strict";
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { connect, type ClientHttp2Session } from "node:http2";
import {
  connect as connectSocket,
  createServer as createListener,
  type AddressInfo,
} from "node:net";
import { test } from "node:test";
import type { ClientOrigin, Peer, Wire } from "../core/proxy/wire.ts";
import { Prng } from "../lib/prng.ts";
import { serveHttp2 } from "./http2-front.ts";
import { StreamLoop } from "./stream-loop.ts";

const ORIGIN: ClientOrigin = {
  frontend: "web",
  source: "127.0.0.1",
  sourcePort: 1,
  localAddress: "127.0.0.1",
  localPort: 1,
  http2: true,
};

/** What the engine is towards one stream: the head goes to `begin`, the body where it says. */
type Engine = (wire: Wire, head: string) => Partial<Peer>;

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

async function withClient(
  engine: Engine,
  body: (client: ClientHttp2Session) => Promise<void>,
): Promise<void> {
  const loop = new StreamLoop({ afterTurn: () => void setImmediate(() => {}) });
  const options = {
    acceptor: acceptor(engine),
    origin: ORIGIN,
    keepAliveMs: 5000,
    headBytes: 16384,
  };
  const server = createListener((socket) => void serveHttp2(loop, socket, options));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect("http://a", { createConnection: () => connectSocket(port, "127.0.0.1") });
  try {
    await body(client);
  } finally {
    client.close();
    await once(client, "close");
    server.close();
    loop.close();
  }
}

const PIECE = 64 * 1024;

/** Answers with so many bytes of a pattern of its own, as large pieces in one and the same memory. */
function telling(wire: Wire, head: string): Partial<Peer> {
  const [, seed = "0", size = "0"] = /\/(\d+)\/(\d+) /u.exec(head) ?? [];
  let left = Number(size);
  const prng = new Prng(Number(seed));
  const start = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${left}\r\n\r\n`);
  wire.send(start, 0, start.length);
  const tell = (): void => {
    while (left > 0) {
      const length = Math.min(left, 1 + prng.between(0, PIECE - 1));
      left -= length;
      shared.fill(prng.between(0, 255), 0, length);
      if (!wire.send(shared, 0, length) && left > 0) return;
    }
  };
  tell();
  return { drained: tell };
}
const shared = Buffer.alloc(PIECE);

function expected(seed: number, size: number): string {
  const prng = new Prng(seed);
  const hash = createHash("sha256");
  for (let left = size; left > 0;) {
    const length = Math.min(left, 1 + prng.between(0, PIECE - 1));
    left -= length;
    hash.update(Buffer.alloc(length, prng.between(0, 255)));
  }
  return hash.digest("hex");
}

test("many large answers at once, to readers that stop now and then, arrive as they were", async () => {
  await withClient(telling, async (client) => {
    const size = 1_500_000;
    const read = async (seed: number): Promise<void> => {
      const stream = client.request({ ":path": `/${seed}/${size}` });
      const hash = createHash("sha256");
      let count = 0;
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        hash.update(chunk);
        count++;
        if (count % (7 + seed) === 0) await new Promise((go) => setTimeout(go, 1));
      }
      assert.equal(hash.digest("hex"), expected(seed, size));
    };
    await Promise.all(Array.from({ length: 12 }, (_, seed) => read(seed + 1)));
    // The same buffers again, after a client that went away in the middle.
    const gone = client.request({ ":path": `/99/${size}` });
    await once(gone, "data");
    gone.close(8);
    await once(gone, "close");
    await Promise.all([21, 22, 23].map(read));
  });
});

/** Reads bodies with pauses; tells their digest. */
function hearing(wire: Wire, head: string): Partial<Peer> {
  const length = Number(/content-length: (\d+)/u.exec(head)?.[1] ?? NaN);
  const hash: Hash = createHash("sha256");
  let count = 0;
  let pieces = 0;
  let isPaused = false;
  return {
    received(_now, bytes, from, to) {
      assert.ok(!isPaused, "nothing comes while it is paused");
      hash.update(bytes.subarray(from, to));
      count += to - from;
      if (++pieces % 5 === 0 && count < length) {
        isPaused = true;
        wire.pause();
        setTimeout(() => {
          isPaused = false;
          wire.resume();
        }, 1);
      }
      if (count !== length) return;
      const answer = Buffer.from(
        `HTTP/1.1 200 OK\r\ncontent-length: 64\r\n\r\n${hash.digest("hex")}`,
      );
      wire.send(answer, 0, answer.length);
    },
  };
}

test("uploads go on after each pause, and every byte is there", async () => {
  await withClient(hearing, async (client) => {
    const give = async (seed: number): Promise<void> => {
      const prng = new Prng(seed);
      const body = Buffer.alloc(1_000_000);
      for (let at = 0; at < body.length; at += 4) body.writeUInt32LE(prng.uint32(), at);
      const headers = { ":method": "PUT", ":path": "/x", "content-length": `${body.length}` };
      const stream = client.request(headers);
      stream.end(body);
      let text = "";
      for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString();
      assert.equal(text, createHash("sha256").update(body).digest("hex"));
    };
    await Promise.all([1, 2, 3, 4].map(give));
  });
});
