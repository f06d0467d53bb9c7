/** Many connections in one turn: by an `IoRing`, and by a call for each where the kernel has none for us. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { isOsFailure } from "./ffi.ts";
import { IoRing } from "./io-ring.ts";
import { localAddress, openListener, StreamListener } from "./stream-listener.ts";
import { StreamLoop } from "./stream-loop.ts";
import { StreamWire } from "./stream-wire.ts";

const GUESTS = 40;
const settling = { afterTurn: (): void => void setImmediate(() => {}) };

/** Counts what it was used for. */
class CountedRing {
  submits = 0;
  operations = 0;

  open(): IoRing | undefined {
    const ring = IoRing.open(64);
    if (ring === undefined) return undefined;
    const submit = ring.submit.bind(ring);
    ring.submit = () => {
      this.submits++;
      this.operations += ring.count;
      submit();
    };
    return ring;
  }
}

interface House {
  readonly loop: StreamLoop;
  readonly sockets: Socket[];
  readonly wires: StreamWire[];
  /** What came from each, whole. */
  readonly heard: string[];
  readonly lost: string[];
}

/** Guests that are accepted and answered by `answer`, which is given all that was heard of one so far. */
async function withHouse(
  ring: () => IoRing | undefined,
  answer: (house: House, i: number) => void,
  body: (house: House) => Promise<void>,
): Promise<void> {
  const loop = new StreamLoop(settling, ring);
  const house: House = { loop, sockets: [], wires: [], heard: [], lost: [] };
  const { sockets, wires, heard, lost } = house;
  const fd = openListener({ kind: "ip", address: "127.0.0.1", port: 0 });
  assert.ok(!isOsFailure(Object(fd)));
  const listener = new StreamListener(loop, fd as number, (client) => {
    const i = wires.length;
    const wire = new StreamWire(loop, client);
    heard[i] = "";
    wires.push(wire);
    wire.peer = {
      received: (_now, bytes, from, to) => {
        heard[i] += Buffer.from(bytes.subarray(from, to)).toString("latin1");
        answer(house, i);
      },
      drained: () => {},
      ended: () => {},
      closed: (_now, reason) => void lost.push(`${i} ${reason}`),
    };
    wire.arrive();
  });
  try {
    const { port } = localAddress(fd as number);
    for (let i = 0; i < GUESTS; i++) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      sockets.push(socket);
      await once(socket, "connect");
      while (wires.length === i) await pause(1);
    }
    await body(house);
  } finally {
    for (const socket of sockets) socket.destroy();
    for (const wire of wires) wire.destroy(false);
    listener.close();
    await new Promise((resolve) => setImmediate(resolve));
    loop.close();
  }
}

const send = (wire: StreamWire, text: string): boolean =>
  wire.send(Buffer.from(text, "latin1"), 0, text.length);

/** Both ways; `isRing`: many calls are one. */
function bothWays(name: string, body: (counted: CountedRing) => Promise<void>): void {
  test(`${name}: a call for each`, () => body(withoutRing()));
  test(`${name}: one call for many`, async (t: TestContext) => {
    const counted = new CountedRing();
    await body(counted);
    if (IoRing.open(8) === undefined) t.diagnostic("this kernel gives us no io_uring");
    else assert.ok(counted.operations > 2 * counted.submits, "the ring was used for many at once");
  });
}

function withoutRing(): CountedRing {
  const none = new CountedRing();
  none.open = () => undefined;
  return none;
}

bothWays("requests of all are answered, each with its own", async (ring) => {
  const answer = (house: House, i: number): void => {
    send(house.wires[i]!, `to ${i}: ${house.heard[i]!.length};`);
  };
  await withHouse(
    () => ring.open(),
    answer,
    async ({ loop, sockets, heard }) => {
      for (let round = 1; round <= 20; round++) {
        // All speak between two turns of the loop.
        const answers = sockets.map((socket) => once(socket, "data"));
        loop.run(() => {
          for (const [i, socket] of sockets.entries())
            socket.write(`${i},`.padEnd(100 * round, "."));
        });
        for (const [i, [data]] of (await Promise.all(answers)).entries()) {
          assert.equal(String(data), `to ${i}: ${heard[i]!.length};`);
          assert.equal(heard[i]!.length, 50 * round * (round + 1));
        }
      }
    },
  );
});

bothWays(
  "long ones are read to their end, and what the kernel does not take waits",
  async (ring) => {
    const long = "x".repeat(300_000);
    const answer = ({ wires, heard }: House, i: number): void => {
      if (heard[i]!.length === long.length) send(wires[i]!, long.repeat(10) + String(i));
    };
    await withHouse(
      () => ring.open(),
      answer,
      async ({ sockets }) => {
        const whole = sockets.map(async (socket, i) => {
          const end = long.repeat(10) + String(i);
          let text = "";
          while (text.length < end.length) text += String((await once(socket, "data"))[0]);
          assert.ok(text === end);
        });
        for (const socket of sockets) socket.write(long);
        await Promise.all(whole);
      },
    );
  },
);

bothWays("who has gone in between is told as lost, the others notice nothing", async (ring) => {
  const answer = (house: House, i: number): void => {
    send(house.wires[i]!, `to ${i}`);
    if (i % 4 === 1) house.wires[i]!.end(true);
  };
  await withHouse(
    () => ring.open(),
    answer,
    async ({ sockets, lost }) => {
      const answers = sockets.map(async (socket, i) => {
        if (i % 4 === 0) return "";
        let text = "";
        socket.on("data", (data) => (text += String(data)));
        await once(socket, i % 4 === 1 ? "end" : "data");
        return text;
      });
      for (const [i, socket] of sockets.entries()) {
        socket.write("one");
        if (i % 4 === 0) socket.resetAndDestroy();
      }
      for (const [i, text] of (await Promise.all(answers)).entries()) {
        assert.equal(text, i % 4 === 0 ? "" : `to ${i}`);
      }
      for (let waits = 0; lost.length < GUESTS / 2 && waits < 400; waits++) await pause(5);
      assert.equal(lost.length, GUESTS / 2);
    },
  );
});
