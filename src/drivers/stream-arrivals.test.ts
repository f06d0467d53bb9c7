/** Accepted connections before, and until, the kernel watches them for us. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Peer } from "../core/proxy/wire.ts";
import { isOsFailure } from "./ffi.ts";
import { localAddress, openListener, StreamListener } from "./stream-listener.ts";
import { StreamLoop } from "./stream-loop.ts";
import { StreamWire } from "./stream-wire.ts";

/** A turn is entered from C: promises that it settled are looked at in the next one of Node's own. */
const settling = { afterTurn: (): void => void setImmediate(() => {}) };

/** Says that its client has said all as soon as it has said anything. */
class Guest implements Peer {
  readonly told: string[] = [];
  readonly wire: StreamWire;
  readonly #isBrief: boolean;
  hasSaidAll = false;

  constructor(wire: StreamWire, isBrief: boolean) {
    this.wire = wire;
    this.#isBrief = isBrief;
  }

  received(_now: number, bytes: Uint8Array, from: number, to: number): void {
    this.told.push(Buffer.from(bytes.subarray(from, to)).toString());
    this.hasSaidAll = this.#isBrief;
  }
  drained(): void {
    this.told.push("drained");
  }
  ended(): void {
    this.told.push("ended");
  }
  closed(_now: number, reason: string): void {
    this.told.push(`closed ${reason}`);
  }

  async until(count: number): Promise<void> {
    for (let i = 0; i < 400 && this.told.length < count; i++) await pause(5);
    assert.ok(this.told.length >= count, `told so far: ${this.told.join(", ")}`);
  }
}

interface Scene {
  readonly loop: StreamLoop;
  readonly guest: Guest;
  readonly client: Socket;
  /** Watched descriptors besides the listener's. */
  readonly watched: () => number;
}

/** A client whose first word is there when it is accepted. */
async function withGuest(isBrief: boolean, body: (scene: Scene) => Promise<void>): Promise<void> {
  const loop = new StreamLoop(settling);
  const fd = openListener({ kind: "ip", address: "127.0.0.1", port: 0 });
  assert.ok(!isOsFailure(Object(fd)));
  const arrival = Promise.withResolvers<Guest>();
  const client = connect(localAddress(fd as number).port, "127.0.0.1");
  await once(client, "connect");
  await new Promise<void>((resolve) => client.write("hello", () => resolve()));
  const listener = new StreamListener(loop, fd as number, (accepted) => {
    const wire = new StreamWire(loop, accepted);
    const guest = new Guest(wire, isBrief);
    wire.peer = guest;
    wire.arrive();
    arrival.resolve(guest);
  });
  const guest = await arrival.promise;
  try {
    await body({ loop, guest, client, watched: () => loop.size - 1 });
  } finally {
    client.destroy();
    guest.wire.destroy(false);
    listener.close();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(loop.size, 0);
    loop.close();
  }
}

test("who has said all is heard, answered and let go without being watched", async () => {
  await withGuest(true, async ({ loop, guest, client, watched }) => {
    assert.deepEqual(guest.told, ["hello"], "heard in the turn that accepted it");
    assert.equal(watched(), 0);
    loop.run(() => {
      guest.wire.send(Buffer.from("bye"), 0, 3);
      guest.wire.end(true);
    });
    assert.deepEqual(guest.told, ["hello", "closed "]);
    const [answer] = (await once(client, "data")) as [Buffer];
    assert.equal(answer.toString(), "bye");
    await once(client, "end");
    await pause(120);
    assert.deepEqual(guest.told, ["hello", "closed "], "nothing more is told of it");
  });
});

test("who says more than it said it would gets its answer all the same", async () => {
  await withGuest(true, async ({ loop, guest, client }) => {
    const answer = once(client, "data") as Promise<[Buffer]>;
    await new Promise<void>((resolve) => client.write("not heard", () => resolve()));
    loop.run(() => {
      guest.wire.send(Buffer.from("bye"), 0, 3);
      guest.wire.end(true);
    });
    client.on("error", () => {});
    assert.equal((await answer)[0].toString(), "bye");
    assert.deepEqual(guest.told, ["hello", "closed "]);
  });
});

test("who may say more is watched from the end of the turn that accepted it", async () => {
  await withGuest(false, async ({ guest, client, watched }) => {
    assert.deepEqual([guest.told, watched()], [["hello"], 1]);
    client.write("again");
    await guest.until(2);
    assert.deepEqual(guest.told, ["hello", "again"]);
  });
});

test("the end of one who has said all, and whose answer takes long, is told all the same", async () => {
  await withGuest(true, async ({ guest, client, watched }) => {
    client.end();
    await guest.until(2);
    assert.deepEqual([guest.told, watched()], [["hello", "ended"], 1]);
  });
});

test("an answer that the kernel does not take at once is watched to its end", async () => {
  await withGuest(true, async ({ loop, guest, client }) => {
    const answer = Buffer.alloc(16 * 1024 * 1024, "x");
    let length = 0;
    client.on("data", (bytes) => (length += bytes.length));
    loop.run(() => {
      guest.wire.send(answer, 0, answer.length);
      guest.wire.end(true);
    });
    await once(client, "end");
    assert.equal(length, answer.length);
    await guest.until(3);
    assert.deepEqual(guest.told, ["hello", "drained", "closed "]);
  });
});
