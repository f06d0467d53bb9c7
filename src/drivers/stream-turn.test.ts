/** One turn of the loop with several connections that have something to say. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { stat, writeSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Peer, ServerPeer } from "../core/proxy/wire.ts";
import { isOsFailure } from "./ffi.ts";
import { StreamConnector } from "./stream-connector.ts";
import { localAddress, openListener, StreamListener } from "./stream-listener.ts";
import { StreamLoop } from "./stream-loop.ts";
import { StreamWire, WIRE_EVENTS } from "./stream-wire.ts";

/** A turn is entered from C: promises that it settled are looked at in the next one of Node's own. */
const settling = { afterTurn: (): void => void setImmediate(() => {}) };

/** What all connections were told, in the order in which they were. */
class Told {
  readonly all: string[] = [];

  /** Does what `then` says whenever it is told something. */
  peer(name: string, then: () => void = () => {}): ServerPeer {
    return {
      connected: () => void this.all.push(`${name} connected`),
      received: (_now, bytes, from, to) => {
        this.all.push(`${name} ${Buffer.from(bytes.subarray(from, to)).toString()}`);
        then();
      },
      drained: () => {},
      ended: () => {
        this.all.push(`${name} ended`);
        then();
      },
      closed: (_now, reason) => void this.all.push(`${name} closed ${reason}`),
    };
  }

  async until(count: number): Promise<void> {
    for (let i = 0; i < 400 && this.all.length < count; i++) await pause(5);
    assert.ok(this.all.length >= count, `told so far: ${this.all.join(", ")}`);
  }
}

interface Guests {
  readonly loop: StreamLoop;
  readonly sockets: readonly Socket[];
  readonly wires: readonly StreamWire[];
}

/** Connections that are accepted and idle, in the order of their peers. */
async function withGuests(
  peers: readonly Peer[],
  body: (guests: Guests) => Promise<void>,
  loop = new StreamLoop(settling),
): Promise<void> {
  const fd = openListener({ kind: "ip", address: "127.0.0.1", port: 0 });
  assert.ok(!isOsFailure(Object(fd)));
  const wires: StreamWire[] = [];
  const listener = new StreamListener(loop, fd as number, (client) => {
    const wire = new StreamWire(loop, client);
    wire.peer = peers[wires.length]!;
    wires.push(wire);
    loop.add(wire, WIRE_EVENTS);
  });
  const sockets: Socket[] = [];
  try {
    const { port } = localAddress(fd as number);
    for (const [i] of peers.entries()) {
      const socket = connect(port, "127.0.0.1");
      sockets.push(socket);
      await once(socket, "connect");
      while (wires.length === i) await pause(1);
    }
    await body({ loop, sockets, wires });
  } finally {
    for (const socket of sockets) socket.destroy();
    for (const wire of wires) wire.destroy(false);
    listener.close();
    await new Promise((resolve) => setImmediate(resolve));
    loop.close();
  }
}

interface Two {
  readonly told: Told;
  readonly sockets: readonly Socket[];
  /** Whoever was heard first, and the other one. */
  readonly early: () => string;
  readonly late: () => {
    readonly name: string;
    readonly wire: StreamWire;
    readonly socket: Socket;
  };
}

/** Of two that speak in the same turn, the first that is heard does `then` with the other's wire. */
async function withTwo(
  then: (other: StreamWire) => void,
  body: (two: Two) => Promise<void>,
): Promise<void> {
  const told = new Told();
  let guests!: Guests;
  let first: number | undefined;
  const heard = (i: number) => (): void => {
    if (first === undefined) then(guests.wires[1 - i]!);
    first ??= i;
  };
  await withGuests([told.peer("0", heard(0)), told.peer("1", heard(1))], async (all) => {
    guests = all;
    const late: Two["late"] = () => {
      const i = 1 - first!;
      return { name: String(i), wire: all.wires[i]!, socket: all.sockets[i]! };
    };
    await body({ told, sockets: all.sockets, early: () => String(first), late });
  });
}

test("who is paused by another's bytes after its own were read gets them when it is resumed", async () => {
  await withTwo(
    (other) => other.pause(),
    async ({ told, sockets, early, late }) => {
      for (const socket of sockets) socket.write("a");
      await told.until(1);
      await pause(20);
      const { name, wire, socket } = late();
      socket.end("b");
      await pause(20);
      assert.deepEqual(told.all, [`${early()} a`]);
      wire.resume();
      await told.until(4);
      assert.deepEqual(told.all, [`${early()} a`, `${name} a`, `${name} b`, `${name} ended`]);
    },
  );
});

test("an end that was read is told after the pause that came between", async () => {
  await withTwo(
    (other) => other.pause(),
    async ({ told, sockets, early, late }) => {
      for (const socket of sockets) socket.end();
      await told.until(1);
      await pause(20);
      assert.deepEqual(told.all, [`${early()} ended`]);
      const { name, wire } = late();
      wire.resume();
      await told.until(2);
      assert.deepEqual(told.all, [`${early()} ended`, `${name} ended`]);
    },
  );
});

test("who is destroyed by another's bytes is told nothing of its own", async () => {
  await withTwo(
    (other) => other.destroy(false),
    async ({ told, sockets, early }) => {
      for (const socket of sockets) socket.write("a");
      await told.until(1);
      await pause(20);
      assert.deepEqual(told.all, [`${early()} a`]);
    },
  );
});

test("what servers say is told before what clients say, whoever spoke first and however many", async () => {
  const told = new Told();
  const clients = Array.from({ length: 300 }, () => told.peer("client"));
  await withGuests(clients, async ({ loop, sockets }) => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const endpoint = { kind: "ip", address: "127.0.0.1", port } as const;
    const arrived = once(server, "connection");
    const target = { pool: "p", server: "s", endpoint };
    const wire = new StreamConnector(loop).connect(target, told.peer("server"));
    const [side] = (await arrived) as [Socket];
    try {
      await told.until(1);
      for (const socket of sockets) socket.write("request");
      side.write("answer");
      await told.until(2 + sockets.length);
      const requests = sockets.map(() => "client request");
      assert.deepEqual(told.all, ["server connected", "server answer", ...requests]);
    } finally {
      wire.destroy(false);
      side.destroy();
      server.close();
    }
  });
});

/** Of the client's side: what is written there arrives within the call, or soon after on a busy machine. */
function descriptorOf(socket: Socket): number {
  return (socket as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}

const ARRIVES_MS = 5;

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test("a loop that leads has its turn for what came meanwhile before Node's own business", async () => {
  const told = new Told();
  const [heard, node] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const speak = (): void => {
    writeSync(descriptorOf(guests.sockets[1]!), "b");
    standStill(ARRIVES_MS);
    process.nextTick(() => {
      told.all.push("node");
      node.resolve();
    });
  };
  let guests!: Guests;
  const body = async (all: Guests): Promise<void> => {
    guests = all;
    all.sockets[0]!.write("a");
    // No looking again and again: a timer that is due comes before what came meanwhile.
    await Promise.all([heard.promise, node.promise]);
    assert.deepEqual(told.all, ["0 a", "1 b", "node"]);
  };
  const loop = new StreamLoop({ afterTurn() {} }, true);
  await withGuests([told.peer("0", speak), told.peer("1", heard.resolve)], body, loop);
});

/** `most`: what may be said meanwhile. */
const NODES_BUSINESS: Record<string, { ask: (done: () => void) => void; most: number }> = {
  "an immediate": { ask: (done) => void setImmediate(done), most: 2 },
  "a timer": { ask: (done) => void setTimeout(done, 1), most: 1_000 },
  "a descriptor": { ask: (done) => stat("/", done), most: 1_000 },
};

for (const leads of [false, true]) {
  const name = leads ? "a loop that leads" : "a loop that follows";

  for (const [what, { ask, most }] of Object.entries(NODES_BUSINESS)) {
    test(`${name} leaves Node time for ${what}, though two speak with each other without end`, async () => {
      const told = new Told();
      // Not at once: Node has something to do anyway while they begin.
      const early = 1_000;
      const asked = Promise.withResolvers<number>();
      let isDone = false;
      const business = (): void => {
        isDone = true;
        asked.resolve(told.all.length);
      };
      const speakTo = (i: number) => (): void => {
        const count = told.all.length;
        if (isDone || count === 20_000) return;
        writeSync(descriptorOf(guests.sockets[i]!), "a");
        if (count === early) ask(business);
      };
      let guests!: Guests;
      const body = async (all: Guests): Promise<void> => {
        guests = all;
        all.sockets[0]!.write("a");
        // No looking again and again: that would be something for Node to do.
        const said = await asked.promise;
        assert.ok(said <= early + most, `after ${said} messages`);
      };
      const peers = [told.peer("0", speakTo(1)), told.peer("1", speakTo(0))];
      await withGuests(peers, body, new StreamLoop({ afterTurn() {} }, leads));
    });
  }
}

test("what many say at once, more than is gathered, comes to each whole and in order", async () => {
  const said = new Map<string, string>();
  const peers = ["a", "b", "c", "d"].map((name): Peer => {
    const received: Peer["received"] = (_now, bytes, from, to) => {
      said.set(name, (said.get(name) ?? "") + Buffer.from(bytes.subarray(from, to)).toString());
    };
    return { received, drained() {}, ended() {}, closed() {} };
  });
  await withGuests(peers, async ({ sockets }) => {
    const texts = ["a", "b", "c", "d"].map((name) =>
      Array.from({ length: 20_000 }, (_, i) => `${name}${i}`).join(),
    );
    for (const [i, socket] of sockets.entries()) socket.write(texts[i]!);
    const total = texts.reduce((sum, text) => sum + text.length, 0);
    const sum = (): number => [...said.values()].reduce((all, text) => all + text.length, 0);
    for (let i = 0; i < 400 && sum() < total; i++) await pause(5);
    for (const [i, name] of ["a", "b", "c", "d"].entries()) {
      assert.equal(said.get(name), texts[i]);
    }
  });
});
