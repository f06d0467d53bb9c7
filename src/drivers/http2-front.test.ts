/** Bodies through streams of HTTP/2: every byte, in its place, however many streams there are. */

import assert from "node:assert/strict";
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { connect, type ClientHttp2Session } from "node:http2";
import { connect as connectSocket, type Socket } from "node:net";
import { test } from "node:test";
import { type Engine, frame, PREFACE, withHttp2Server } from "../../test/kit/http2-rig.ts";
import type { Peer, Wire } from "../core/proxy/wire.ts";
import { Prng } from "../lib/prng.ts";

async function withClient(
  engine: Engine,
  body: (client: ClientHttp2Session) => Promise<void>,
): Promise<void> {
  await withHttp2Server(engine, async (port) => {
    const createConnection = (): Socket => connectSocket(port, "127.0.0.1");
    const client = connect("http://a", { createConnection });
    try {
      await body(client);
    } finally {
      client.close();
      await once(client, "close");
    }
  });
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

test("fields that a server says twice reach the client, whatever their names", async () => {
  const engine: Engine = (wire) => {
    const twice = "x-content-type-options: nosniff\r\n".repeat(2);
    const head = `HTTP/1.1 200 OK\r\n${twice}constructor: a\r\ncontent-length: 0\r\n\r\n`;
    wire.send(Buffer.from(head), 0, head.length);
    return {};
  };
  await withClient(engine, async (client) => {
    const stream = client.request({ ":path": "/" });
    const [headers] = (await once(stream, "response")) as [Record<string, string>];
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["constructor"], "a");
    stream.resume();
    await once(stream, "close");
  });
});

test("a Cookie that a browser sends in many pieces is one, and a head that is too large is the engine's to refuse", async () => {
  const heads: string[] = [];
  const engine: Engine = (wire, head) => {
    heads.push(head);
    wire.send(Buffer.from(OK), 0, OK.length);
    return {};
  };
  await withClient(engine, async (client) => {
    const cookie = Array.from({ length: 180 }, (_, i) => `name${i}=${"v".repeat(60)}`);
    for (const more of [{ cookie }, { "x-large": "v".repeat(20_000) }]) {
      const stream = client.request({ ":path": "/", ...more });
      const [headers] = (await once(stream, "response")) as [Record<string, number>];
      assert.equal(headers[":status"], 200);
      stream.resume();
      await once(stream, "close");
    }
    assert.ok(heads[0]?.includes(`\r\ncookie: ${cookie.join("; ")}\r\n`));
    assert.ok(heads[1]!.length > 20_000);
  });
});

test("a stream that has to wait for another one of its client is seen to go on", async () => {
  const wires: Wire[] = [];
  const engine: Engine = (wire, head) => {
    wires.push(wire);
    return telling(wire, head);
  };
  await withClient(engine, async (client) => {
    const size = 1_500_000;
    const waiting = client.request({ ":path": `/1/${size}` });
    const read = client.request({ ":path": `/2/${size}` });
    await Promise.all([once(waiting, "response"), once(read, "response")]);
    const [first] = wires;
    while (first!.queued === 0) await new Promise((go) => setImmediate(go));
    // What its window takes has left meanwhile.
    await once(read, "data");
    const { queued, untaken } = first!;
    read.resume();
    await once(read, "close");
    assert.equal(first!.queued, queued);
    assert.ok(first!.untaken! < untaken!);
    waiting.close(8);
    await once(waiting, "close");
  });
});

/** POST http / with the authority `a`; more of it follows. RFC 7541, appendix A. */
const POST = frame(1, 4, 1, Buffer.from([0x83, 0x86, 0x84, 0x01, 0x01, 0x61]));
const RESET_WITHOUT_ERROR = frame(3, 0, 1, Buffer.alloc(4));

test("an upload that its client takes back while nobody reads it ends, and may still be answered", async () => {
  const told = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  let received = "";
  const engine: Engine = (wire) => {
    wire.pause();
    begun.resolve();
    return {
      received(_now, bytes, from, to) {
        received += Buffer.from(bytes.subarray(from, to)).toString();
      },
      closed() {
        wire.send(Buffer.from(OK), 0, OK.length);
        told.resolve();
      },
    };
  };
  await withHttp2Server(engine, async (port) => {
    const socket = connectSocket(port, "127.0.0.1");
    socket.resume();
    socket.write(Buffer.concat([PREFACE, POST]));
    await begun.promise;
    const isTold = told.promise.then(() => socket.destroy());
    socket.write(Buffer.concat([frame(0, 0, 1, Buffer.from("beginning")), RESET_WITHOUT_ERROR]));
    await isTold;
    assert.equal(received, "");
  });
});

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

test("an upload that is answered before its end is stopped when the engine lets it go", async () => {
  const answered = Promise.withResolvers<Wire>();
  const engine: Engine = (wire) => {
    wire.send(Buffer.from(OK), 0, OK.length);
    wire.end();
    wire.pause();
    answered.resolve(wire);
    return {};
  };
  await withClient(engine, async (client) => {
    const stream = client.request({ ":method": "POST", ":path": "/" });
    stream.on("error", () => {});
    stream.write("the beginning");
    let text = "";
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await once(stream, "end");
    (await answered.promise).destroy(false);
    await once(stream, "close");
    assert.equal(stream.rstCode, 0);
    assert.equal(text, "ok");
  });
});

test("a client that is told to go and does not end its half is cut", async () => {
  const body = async (port: number): Promise<void> => {
    const socket = connectSocket({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {});
    socket.write(PREFACE);
    socket.resume();
    await once(socket, "end");
    // Whoever writes to a connection that was cut learns it.
    const writing = setInterval(() => socket.write(frame(4, 0, 0)), 10);
    await new Promise((gone) => socket.once("close", gone));
    clearInterval(writing);
  };
  await withHttp2Server(() => ({}), body, 20);
});

/** GET of the same. */
const GET = frame(1, 5, 1, Buffer.from([0x82, 0x86, 0x84, 0x01, 0x01, 0x61]));
const DATA = 0;
const RESET = 3;
const END_STREAM = 1;

test("an answer in chunks whose end comes later ends its stream, and does not reset it", async () => {
  const engine: Engine = (wire) => {
    const start = Buffer.from("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n");
    const end = Buffer.from("0\r\n\r\n");
    wire.send(start, 0, start.length);
    setImmediate(() => {
      wire.send(end, 0, end.length);
      wire.end();
    });
    return {};
  };
  await withHttp2Server(engine, async (port) => {
    const socket = connectSocket(port, "127.0.0.1");
    socket.write(Buffer.concat([PREFACE, GET]));
    let bytes = Buffer.alloc(0);
    const ends: number[] = [];
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
        const [type, flags, stream] = [bytes[3]!, bytes[4]!, bytes.readUInt32BE(5)];
        const isLast = type === RESET || (type === DATA && (flags & END_STREAM) !== 0);
        if (stream === 1 && isLast) ends.push(type);
        bytes = bytes.subarray(9 + bytes.readUIntBE(0, 3));
      }
      if (ends.length > 0) break;
    }
    assert.deepEqual(ends, [DATA]);
    socket.destroy();
  });
});
