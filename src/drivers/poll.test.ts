import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { test } from "node:test";
import { EFD_NONBLOCK, NativeMemory, closeFd, eventfd, readInto, writeFrom } from "./ffi.ts";
import { watchReadable, watchWithKoffi } from "./poll.ts";

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

function ring(fd: number): void {
  const memory = new NativeMemory(8);
  memory.view.setBigUint64(0, 1n, true);
  assert.equal(writeFrom(fd, memory), 8);
}
