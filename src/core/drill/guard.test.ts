import assert from "node:assert/strict";
import { test } from "node:test";
import { Guard } from "./guard.ts";

const settings = { withinMs: 10_000, silenceMs: 1000 };

test("a guard whose conductor speaks undoes nothing until it is asked", () => {
  const guard = new Guard(settings, 0);
  for (let now = 500; now < 9000; now += 500) {
    assert.equal(guard.step(now, { type: "beat" }), undefined);
    assert.equal(guard.step(now, { type: "woken" }), undefined);
  }
  assert.deepEqual(guard.step(9000, { type: "undo-asked" }), {
    type: "undo",
    reason: "the drill is over",
    asked: true,
  });
});

test("silence, the end of the conductor and the deadline each undo", () => {
  const silent = new Guard(settings, 0);
  assert.equal(silent.deadline, 1000);
  assert.equal(silent.step(999, { type: "woken" }), undefined);
  assert.match(silent.step(1000, { type: "woken" })?.reason ?? "", /fallen silent/);
  const orphan = new Guard(settings, 0);
  assert.match(orphan.step(1, { type: "conductor-gone" })?.reason ?? "", /gone/);
  const long = new Guard({ ...settings, silenceMs: 60_000 }, 0);
  assert.match(long.step(long.deadline, { type: "woken" })?.reason ?? "", /took too long/);
});

test("it undoes once", () => {
  const guard = new Guard(settings, 0);
  assert.ok(guard.step(5, { type: "stop-asked" }));
  assert.equal(guard.step(6, { type: "conductor-gone" }), undefined);
  assert.equal(guard.deadline, Infinity);
});
