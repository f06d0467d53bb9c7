import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import type { ServerPeer } from "../core/proxy/wire.ts";
import { monotonicMs } from "./clock.ts";
import { StreamConnector } from "./stream-connector.ts";
import { StreamLoop } from "./stream-loop.ts";

/** The kernel's shortest delay of an acknowledgement. */
const DELAYED_ACK_MS = 40;
const EXCHANGES = 25;
const ANSWER = ["head", "body"] as const;
const ANSWER_BYTES = ANSWER.join("").length;

test("a server that sends head and body by themselves, with Nagle's delay, is not waited for", async () => {
  const server = createServer((socket) => {
    socket.setNoDelay(false);
    socket.on("data", () => ANSWER.forEach((piece) => socket.write(piece)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const loop = new StreamLoop({ afterTurn: () => void setImmediate(() => {}) });
  const took: number[] = [];
  const done = Promise.withResolvers<string>();
  let missing = ANSWER_BYTES;
  let askedAt = 0;
  const ask = (): void => {
    missing = ANSWER_BYTES;
    askedAt = monotonicMs();
    wire.send(Buffer.from("?"), 0, 1);
  };
  const peer: ServerPeer = {
    get awaitsMore() {
      return missing > 0;
    },
    connected: ask,
    received: (_now, _bytes, from, to) => {
      missing -= to - from;
      if (missing > 0) return;
      took.push(monotonicMs() - askedAt);
      if (took.length < EXCHANGES) ask();
      else done.resolve("all answered");
    },
    drained: () => {},
    ended: () => {},
    closed: (_now, reason) => done.resolve(reason),
  };
  const endpoint = { kind: "ip", address: "127.0.0.1", port } as const;
  const wire = new StreamConnector(loop).connect({ pool: "p", server: "s", endpoint }, peer);
  try {
    assert.equal(await done.promise, "all answered");
    const middle = took.toSorted((a, b) => a - b)[Math.floor(EXCHANGES / 2)]!;
    assert.ok(middle < DELAYED_ACK_MS / 2, `an answer took ${middle} ms`);
  } finally {
    wire.destroy(false);
    await new Promise((resolve) => setImmediate(resolve));
    loop.close();
    server.close();
  }
});
