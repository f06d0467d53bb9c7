import assert from "node:assert/strict";
import { test } from "node:test";
import { EFD_NONBLOCK, NativeMemory, closeFd, eventfd, readInto, writeFrom } from "./ffi.ts";
import { watchReadable } from "./poll.ts";

test("a watched descriptor calls back once per readiness until the watch is closed", async () => {
  const fd = eventfd(0, EFD_NONBLOCK);
  const memory = new NativeMemory(8);
  let calls = 0;
  await new Promise<void>((resolve) => {
    const ring = (): void => {
      memory.view.setBigUint64(0, 1n, true);
      assert.equal(writeFrom(fd, memory), 8);
    };
    const watch = watchReadable(fd, () => {
      calls++;
      assert.equal(readInto(fd, memory), 8);
      if (calls < 3) {
        setImmediate(ring);
        return;
      }
      watch.close();
      ring();
      setImmediate(() => setImmediate(resolve));
    });
    ring();
  });
  assert.equal(calls, 3);
  assert.equal(closeFd(fd), 0);
});

test("a call that fails returns the negated errno", () => {
  assert.equal(closeFd(-1), -9);
});
