import { test } from "node:test";
import assert from "node:assert/strict";
import { agedUpTo, type AgedRecord } from "./retention.ts";

const DAY = 86_400_000;
const NOW = { wallMs: 1_800_000_000_000, monoMs: 10 * DAY, boot: "now" };

function aged(seq: number, daysAgo: number, boot = "before"): AgedRecord {
  const monoMs = boot === "now" ? NOW.monoMs - daysAgo * DAY : 0;
  return { seq, wallMs: NOW.wallMs - daysAgo * DAY, monoMs, boot };
}

test("what is older than the bound goes, what is younger stays", () => {
  assert.equal(agedUpTo([aged(1, 40), aged(2, 31), aged(3, 29), aged(4, 35)], NOW, 30 * DAY), 2);
  assert.equal(agedUpTo([aged(1, 3)], NOW, 30 * DAY), undefined);
});

test("a wall clock that stepped ahead by years costs no record of this life", () => {
  const records = [aged(1, 3000, "now"), aged(2, 2999, "now")].map((one) => ({
    ...one,
    monoMs: NOW.monoMs - 1000,
  }));
  assert.equal(agedUpTo(records, NOW, 30 * DAY), undefined);
});

test("a time that cannot be believed goes only with an old one behind it", () => {
  const future = { ...aged(1, 0), wallMs: NOW.wallMs + 1000 * DAY };
  const epoch = { ...aged(2, 0), wallMs: 5000 };
  assert.equal(agedUpTo([future, epoch, aged(3, 1)], NOW, 30 * DAY), undefined);
  assert.equal(agedUpTo([future, epoch, aged(3, 31), aged(4, 1)], NOW, 30 * DAY), 3);
});

test("a machine that does not know the year deletes nothing", () => {
  assert.equal(agedUpTo([aged(1, 40)], { ...NOW, wallMs: 5000 }, 30 * DAY), undefined);
});
