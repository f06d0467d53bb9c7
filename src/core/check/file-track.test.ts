import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FileTrack, parseTrackValue } from "./file-track.ts";

const SETTINGS = { name: "load", path: "/run/load", weight: 1, reverse: false, overwrite: false };
const read = (text: string) => ({ type: "file-read", text }) as const;

test("a value is told once", () => {
  const track = new FileTrack(SETTINGS);
  assert.deepEqual(track.step(0, read("-20\n")), [
    { type: "report-track", ok: false, value: -20, reason: "file /run/load holds -20" },
  ]);
  assert.deepEqual(track.step(1, read("-20")), []);
  assert.equal(track.step(2, read("0"))[0]?.type, "report-track");
  assert.equal(track.report?.ok, true);
});

test("a missing file counts as 0, with the reason", () => {
  const track = new FileTrack(SETTINGS);
  assert.deepEqual(track.step(0, { type: "file-read", problem: "is missing" }), [
    {
      type: "report-track",
      ok: true,
      value: 0,
      reason: "file /run/load is missing, taken as 0",
    },
  ]);
});

test("a file caught between truncation and write is read again before it is believed", () => {
  const track = new FileTrack(SETTINGS);
  track.step(0, read("5"));
  assert.deepEqual(track.step(10, read("")), []);
  assert.equal(track.deadline, 60);
  assert.deepEqual(track.step(11, read("5\n")), []);
  assert.equal(track.deadline, Infinity);
  assert.equal(track.report?.value, 5);
});

test("a file that stays without a number counts as 0", () => {
  const track = new FileTrack(SETTINGS);
  track.step(0, read("5"));
  track.step(10, read("yes"));
  assert.deepEqual(track.step(60, { type: "woken" }), [{ type: "read-file" }]);
  assert.deepEqual(track.step(60, read("yes")), [
    {
      type: "report-track",
      ok: true,
      value: 0,
      reason: "file /run/load holds no number, taken as 0",
    },
  ]);
});

test("any integer survives being written and parsed, clamped to 32 bits", () => {
  const property = fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (value) => {
    const parsed = parseTrackValue(` ${value}\n`);
    const limit = 2_147_483_647;
    const clamped = value > limit ? limit : value < -limit ? -limit : Number(value);
    assert.equal(parsed, clamped);
  });
  fc.assert(property);
  assert.equal(parseTrackValue("+7 apples"), 7);
  assert.equal(parseTrackValue("-0"), 0);
  assert.equal(parseTrackValue("0x10"), 0);
  assert.equal(parseTrackValue("-"), undefined);
});
