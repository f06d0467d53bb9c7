import assert from "node:assert/strict";
import { test } from "node:test";
import { untilNextTryMs } from "./check-role-link.ts";

test("a vrrp role that is gone is asked for at once, one that stays away at the turn of a second", (t) => {
  t.mock.method(Date, "now", () => 1_800_000_000_400);
  assert.deepEqual([10, 500].map(untilNextTryMs), [10, 500]);
  assert.equal(untilNextTryMs(1000), 602);
});
