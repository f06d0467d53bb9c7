import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { IoRing } from "./io-ring.ts";

const EBADF = 9;
const ENOTSOCK = 88;
const ROOM = 16;

/** No descriptor at all, and one that is no socket: two failures that cannot be mistaken for each other. */
function ask(ring: IoRing, file: number, count: number): number[] {
  const wanted = [];
  for (let i = 0; i < count; i++) {
    const isFile = (i * i + count) % 3 === 0;
    const fd = isFile ? file : -1;
    const number = i % 2 === 0 ? ring.receive(fd, 0, 1) : ring.send(fd, 0, 1, 0);
    assert.equal(number, i);
    wanted.push(isFile ? -ENOTSOCK : -EBADF);
  }
  return wanted;
}

function withRing(t: TestContext, body: (ring: IoRing, file: number) => void): void {
  const ring = IoRing.open(ROOM);
  if (ring === undefined) return t.diagnostic("this kernel gives us no io_uring");
  const file = openSync("/dev/null", "r");
  try {
    body(ring, file);
  } finally {
    closeSync(file);
  }
}

const resultsOf = (ring: IoRing, count: number): number[] =>
  Array.from({ length: count }, (_, i) => ring.result(i));

test("each operation has its own result, however often the ring went round", (t) => {
  withRing(t, (ring, file) => {
    for (let i = 0; i < 200; i++) {
      const count = 1 + (i % ROOM);
      const wanted = ask(ring, file, count);
      ring.submit();
      assert.equal(ring.count, 0);
      assert.deepEqual(resultsOf(ring, count), wanted);
    }
    ring.close();
  });
});

test("what the kernel does not take is done by a call for each", (t) => {
  withRing(t, (ring, file) => {
    ask(ring, file, 3);
    ring.submit();
    const wanted = ask(ring, file, ROOM);
    ring.close();
    ring.submit();
    assert.deepEqual(resultsOf(ring, ROOM), wanted);
  });
});
