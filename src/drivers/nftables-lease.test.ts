import assert from "node:assert/strict";
import { test } from "node:test";
import { isSince } from "./nftables-lease.ts";

test("releases of kernels are compared by number", () => {
  const since = (kernel: string): boolean => isSince(kernel, [6, 12]);
  assert.deepEqual(["6.12.0", "6.18.44-fc", "7.0.1"].map(since), [true, true, true]);
  assert.deepEqual(["6.8.0-45-generic", "5.15.0", "unknown"].map(since), [false, false, false]);
});
