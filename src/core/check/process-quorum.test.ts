import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { ProcessSettings } from "../vrrp/settings.ts";
import { ProcessQuorum } from "./process-quorum.ts";

const SETTINGS: ProcessSettings = {
  name: "nginx",
  process: "nginx",
  parameters: [],
  parameterMatch: "none",
  fullCommand: false,
  quorum: 1,
  quorumMax: 4,
  weight: 0,
  reverse: false,
  forkDelayMs: 0,
  terminateDelayMs: 0,
};
const counted = (count: number, what = "found at start") =>
  ({ type: "processes-counted", count, what }) as const;
const woken = { type: "woken" } as const;

test("the first count is told at once, a death in the same step", () => {
  const quorum = new ProcessQuorum(SETTINGS);
  assert.deepEqual(quorum.step(0, counted(1)), [
    { type: "report-track", ok: true, reason: "process nginx: found at start, 1 running" },
  ]);
  assert.deepEqual(quorum.step(5, counted(0, "process 4711 ended")), [
    {
      type: "report-track",
      ok: false,
      reason: "process nginx: process 4711 ended, none runs, 1 needed",
    },
  ]);
});

test("more than quorum_max is a failure", () => {
  const quorum = new ProcessQuorum({ ...SETTINGS, quorumMax: 0, quorum: 0 });
  assert.equal(quorum.step(0, counted(0))[0]?.ok, true);
  assert.equal(
    quorum.step(1, counted(1, "process 7 started"))[0]?.reason,
    "process nginx: process 7 started, 1 running, 0 allowed",
  );
});

test("a restart within terminate_delay goes unnoticed", () => {
  const quorum = new ProcessQuorum({ ...SETTINGS, terminateDelayMs: 200 });
  quorum.step(0, counted(1));
  assert.deepEqual(quorum.step(10, counted(0)), []);
  assert.equal(quorum.deadline, 210);
  assert.deepEqual(quorum.step(100, counted(1)), []);
  assert.equal(quorum.deadline, Infinity);
});

test("a loss that lasts is told after terminate_delay, a gain after fork_delay", () => {
  const quorum = new ProcessQuorum({ ...SETTINGS, terminateDelayMs: 200, forkDelayMs: 50 });
  quorum.step(0, counted(1));
  quorum.step(10, counted(0));
  assert.deepEqual(quorum.step(209, woken), []);
  assert.equal(quorum.step(210, woken)[0]?.ok, false);
  assert.deepEqual(quorum.step(300, counted(1)), []);
  assert.equal(quorum.step(350, woken)[0]?.ok, true);
});

test("without delays the report always tells whether the latest count is within the quorum", () => {
  const property = fc.property(fc.array(fc.nat(8), { minLength: 1 }), fc.nat(4), (counts, low) => {
    const quorum = new ProcessQuorum({ ...SETTINGS, quorum: low });
    for (const [now, count] of counts.entries()) {
      const before = quorum.report?.ok;
      const reports = quorum.step(now, counted(count));
      assert.equal(quorum.report?.ok, count >= low && count <= 4);
      assert.equal(reports.length, quorum.report?.ok === before ? 0 : 1);
    }
  });
  fc.assert(property);
});
