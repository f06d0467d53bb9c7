import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { textHeader } from "../core/proxy/proxy-header.ts";
import { closeFd, isOsFailure } from "./ffi.ts";
import { expectProxyHeader, type ProxyOrigin } from "./proxy-gate.ts";
import { receiveStream } from "./stream-calls.ts";
import { localAddress, openListener, StreamListener } from "./stream-listener.ts";
import { StreamLoop } from "./stream-loop.ts";
import { NativeMemory } from "./ffi.ts";

const ORIGIN: ProxyOrigin = {
  source: "192.0.2.7",
  sourcePort: 56324,
  localAddress: "198.51.100.1",
  localPort: 443,
};
const HEADER = Buffer.from(textHeader({ frontend: "web", ...ORIGIN, http2: false }));

type Outcome = { origin: ProxyOrigin | undefined; rest: string } | { refused: string };

/** What became of a client that `talk` plays. */
async function meet(talk: (client: Socket) => void, withinMs = 2000): Promise<Outcome> {
  const loop = new StreamLoop({ afterTurn: (): void => void setImmediate(() => {}) });
  const opened = openListener({ kind: "ip", address: "127.0.0.1", port: 0 });
  assert.ok(!isOsFailure(opened));
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const memory = new NativeMemory(1024);
  const listener = new StreamListener(loop, opened, (fd) => {
    expectProxyHeader(loop, fd, {
      withinMs,
      found: (origin) => {
        const count = Math.max(0, receiveStream(fd, memory.address, 1024, 0));
        const rest = Buffer.from(memory.bytes.subarray(0, count)).toString();
        closeFd(fd);
        resolve({ origin, rest });
      },
      refused: (reason) => resolve({ refused: reason }),
    });
  });
  const client = connect(localAddress(opened).port, "127.0.0.1");
  client.on("error", () => {});
  await once(client, "connect");
  try {
    talk(client);
    return await promise;
  } finally {
    client.destroy();
    listener.close();
    await new Promise((settled) => setImmediate(settled));
    loop.close();
  }
}

test("a header is taken exactly, and what follows stays in the socket", async () => {
  const outcome = await meet((client) =>
    client.write(Buffer.concat([HEADER, Buffer.from("GET /")])),
  );
  assert.deepEqual(outcome, { origin: ORIGIN, rest: "GET /" });
});

test("a header may come byte by byte", async () => {
  const outcome = await meet((client) => {
    client.setNoDelay(true);
    let sent = 0;
    const next = (): void => {
      client.write(HEADER.subarray(sent, ++sent));
      if (sent < HEADER.length) setImmediate(next);
    };
    next();
  });
  assert.deepEqual(outcome, { origin: ORIGIN, rest: "" });
});

test("a proxy that speaks for itself has no origin to tell", async () => {
  const outcome = await meet((client) => client.write("PROXY UNKNOWN\r\nx"));
  assert.deepEqual(outcome, { origin: undefined, rest: "x" });
});

test("something else is refused with the reason, at once", async () => {
  const outcome = await meet((client) => client.write("GET / HTTP/1.1\r\n"));
  assert.deepEqual(outcome, {
    refused: "a PROXY header is expected from here, and this is none",
  });
});

test("whoever leaves in the middle is refused", async () => {
  const outcome = await meet((client) => client.end("PROXY TCP4 "));
  assert.deepEqual(outcome, { refused: "closed before the PROXY header was complete" });
});

test("whoever says nothing is refused in time", async () => {
  const outcome = await meet(() => {}, 20);
  assert.deepEqual(outcome, { refused: "no whole PROXY header within 20 ms" });
});
