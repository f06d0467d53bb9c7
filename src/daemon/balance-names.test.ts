import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ServerNames } from "./balance-names.ts";

test("names are asked for once in a while, however often a reload comes while they are asked for", async () => {
  const waiting = new Set<() => void>();
  const set = mock.method(globalThis, "setTimeout", (again: () => void) => {
    waiting.add(again);
    return { again, unref() {} };
  });
  const clear = mock.method(globalThis, "clearTimeout", (timer?: { again: () => void }) => {
    if (timer !== undefined) waiting.delete(timer.again);
  });
  try {
    const names = new ServerNames({ changed() {}, failed() {} });
    await names.watch(["127.0.0.1"]);
    for (let i = 0; i < 3; i++) {
      const [again] = waiting;
      waiting.delete(again!);
      again!();
      await names.watch(["127.0.0.1"]);
      await turn();
    }
    assert.equal(waiting.size, 1);
    names.close();
    assert.equal(waiting.size, 0);
  } finally {
    set.mock.restore();
    clear.mock.restore();
  }
});

test("a name that fails, leaves the configuration and comes back is told anew", async () => {
  const told: string[] = [];
  const names = new ServerNames({ changed() {}, failed: (host) => void told.push(host) });
  const host = "a..b";
  await names.watch([host]);
  await names.watch([host]);
  assert.deepEqual(told, [host]);
  await names.watch([]);
  await names.watch([host]);
  assert.deepEqual(told, [host, host]);
  names.close();
});
