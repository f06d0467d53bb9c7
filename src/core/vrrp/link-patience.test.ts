import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkPatience } from "./link-patience.ts";

function patient(downMs: number, upMs: number): LinkPatience {
  const patience = new LinkPatience();
  patience.adopt([{ interface: "eth0", downMs, upMs }]);
  return patience;
}

test("a link without a delay is believed at once", () => {
  const patience = patient(100, 200);
  assert.equal(patience.hear(0, "eth1", true), true);
  assert.equal(patience.hear(1, "eth1", false), false);
  assert.equal(patience.deadline, Infinity);
});

test("the first word counts at once, later ones when they have lasted", () => {
  const patience = patient(100, 200);
  assert.equal(patience.hear(0, "eth0", true), true);
  assert.equal(patience.hear(1000, "eth0", false), true);
  assert.equal(patience.deadline, 1100);
  assert.deepEqual(patience.due(1099), []);
  assert.deepEqual(patience.due(1100), ["eth0"]);
  assert.equal(patience.hear(1100, "eth0", false), false);
  assert.equal(patience.hear(2000, "eth0", true), false);
  assert.deepEqual(patience.due(2200), ["eth0"]);
  assert.equal(patience.hear(2200, "eth0", true), true);
});

test("a link that comes back in time was never down, and the wait starts anew with each loss", () => {
  const patience = patient(100, 0);
  patience.hear(0, "eth0", true);
  patience.hear(10, "eth0", false);
  // Told again for another reason: the wait goes on.
  patience.hear(60, "eth0", false);
  assert.equal(patience.deadline, 110);
  assert.equal(patience.hear(109, "eth0", true), true);
  assert.equal(patience.deadline, Infinity);
  patience.hear(120, "eth0", false);
  assert.equal(patience.deadline, 220);
});

test("a delay of 0, a removed delay and a removed interface end the wait", () => {
  const patience = patient(100, 0);
  patience.hear(0, "eth0", false);
  assert.equal(patience.hear(1, "eth0", true), true);
  patience.hear(2, "eth0", false);
  patience.adopt([]);
  assert.equal(patience.hear(3, "eth0", false), false);
  assert.equal(patience.deadline, Infinity);
  patience.adopt([{ interface: "eth0", downMs: 100, upMs: 100 }]);
  patience.forget("eth0");
  assert.equal(patience.hear(4, "eth0", true), true);
});
