import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import {
  AF_INET,
  EFD_NONBLOCK,
  MSG_DONTWAIT,
  NativeMemory,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  bindSocket,
  closeFd,
  eventfd,
  openSocket,
  readInto,
  receiveInto,
  send,
  socketName,
  writeFrom,
} from "./ffi.ts";
import { watchReadable, watchWithKoffi } from "./poll.ts";
import { connectStream } from "./stream-calls.ts";

for (const watch of [watchReadable, watchWithKoffi]) {
  const { name } = watch;

  test(`${name}: once per readiness until the watch is closed, also from its callback`, async () => {
    const fd = eventfd(0, EFD_NONBLOCK);
    const memory = new NativeMemory(8);
    let calls = 0;
    await new Promise<void>((resolve) => {
      const watched = watch(fd, () => {
        calls++;
        assert.equal(readInto(fd, memory), 8);
        if (calls < 3) {
          setImmediate(ring, fd);
          return;
        }
        watched.close();
        watched.close();
        ring(fd);
        setImmediate(() => setImmediate(resolve));
      });
      ring(fd);
    });
    assert.equal(calls, 3);
    assert.equal(closeFd(fd), 0);
  });

  test(`${name}: a descriptor of the same number can be watched right after the close`, async () => {
    const first = eventfd(1, EFD_NONBLOCK);
    watch(first, () => assert.fail("it was closed before")).close();
    closeFd(first);
    const second = eventfd(1, EFD_NONBLOCK);
    assert.equal(second, first);
    await new Promise<void>((resolve) => {
      const watched = watch(second, () => {
        watched.close();
        setImmediate(resolve);
      });
    });
    closeFd(second);
  });

  test(`${name}: a callback that closes another watch silences it in the same turn`, async () => {
    const fds = [eventfd(1, EFD_NONBLOCK), eventfd(1, EFD_NONBLOCK)];
    let calls = 0;
    const watches = fds.map((fd) =>
      watch(fd, () => {
        calls++;
        for (const each of watches) each.close();
      }),
    );
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    assert.equal(calls, 1);
    fds.forEach(closeFd);
  });

  test(`${name}: what a callback throws ends the process, at once and as itself`, () => {
    const { status, stderr } = play(
      `const watched = ${name}(eventfd(1, EFD_NONBLOCK), () => {
         watched.close();
         throw new Error("thrown in the callback");
       });
       setTimeout(() => process.exit(9), 5000);`,
    );
    assert.equal(status, 1);
    assert.match(stderr, /thrown in the callback/);
  });

  test(`${name}: a descriptor that had an error is watched on`, async () => {
    const other = createSocket("udp4").bind(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address();
    other.close();
    await once(other, "close");
    const fd = openSocket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert.equal(bindSocket(fd, loopback(0)), 0);
    assert.equal(connectStream(fd, loopback(port)), 0);
    const own = loopback(0);
    socketName(fd, own);
    const results: number[] = [];
    const memory = new NativeMemory(64);
    await new Promise<void>((resolve) => {
      const watched = watch(fd, () => {
        results.push(receiveInto(fd, memory, MSG_DONTWAIT));
        if (results.length === 1) setImmediate(answer);
        else {
          watched.close();
          setImmediate(resolve);
        }
      });
      // Nobody is there: that is the error.
      send(fd, new Uint8Array(4), 4, 0);
      const answer = (): void => {
        const late = createSocket("udp4").bind(port, "127.0.0.1");
        late.send(new Uint8Array(7), new DataView(own.buffer).getUint16(2), "127.0.0.1", () =>
          late.close(),
        );
      };
    });
    assert.deepEqual(results, [-ECONNREFUSED, 7]);
    closeFd(fd);
  });

  test(`${name}: a watch keeps the process alive, and no longer than until its close`, () => {
    const { status, stderr } = play(
      `const fd = eventfd(0, EFD_NONBLOCK);
       const watched = ${name}(fd, () => {});
       setTimeout(() => watched.close(), 50).unref();
       setTimeout(() => process.exit(9), 5000).unref();
       process.on("exit", () => console.error("the end"));`,
    );
    assert.deepEqual([status, stderr], [0, "the end\n"]);
  });
}

test("a descriptor that is closed, or watched already, is refused", () => {
  const fd = eventfd(0, EFD_NONBLOCK);
  const watched = watchReadable(fd, () => {});
  assert.throws(() => watchReadable(fd, () => {}), /EEXIST/);
  watched.close();
  closeFd(fd);
  assert.throws(() => watchReadable(fd, () => {}), /EBADF/);
});

test("memory of closed handles is given back only when libuv has let go of it", () => {
  const code = `
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 500; i++) {
        const fd = eventfd(1, EFD_NONBLOCK);
        watchReadable(fd, () => {}).close();
        closeFd(fd);
      }
      gc();
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    }
    console.log("unharmed");`;
  const args = ["--expose-gc", "--input-type=module", "--eval", PRELUDE + code];
  assert.equal(execFileSync(process.execPath, args, { encoding: "utf8" }), "unharmed\n");
});

test("a call that fails returns the negated errno", () => {
  assert.equal(closeFd(-1), -9);
});

const DRIVERS = new URL("./", import.meta.url).href;
const PRELUDE = `
  import { EFD_NONBLOCK, closeFd, eventfd } from "${DRIVERS}ffi.ts";
  import { watchReadable, watchWithKoffi } from "${DRIVERS}poll.ts";`;

/** In a process of its own. */
function play(code: string): { status: number | null; stderr: string } {
  const args = ["--input-type=module", "--eval", PRELUDE + code];
  return spawnSync(process.execPath, args, { encoding: "utf8" });
}

const ECONNREFUSED = 111;

/** `struct sockaddr_in` of 127.0.0.1. */
function loopback(port: number): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(16);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  address.set([127, 0, 0, 1], 4);
  return address;
}

function ring(fd: number): void {
  const memory = new NativeMemory(8);
  memory.view.setBigUint64(0, 1n, true);
  assert.equal(writeFrom(fd, memory), 8);
}
