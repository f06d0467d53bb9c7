import assert from "node:assert/strict";
import { test } from "node:test";
import type { Why } from "../daemon/control-api.ts";
import { clockTime } from "../daemon/event-log.ts";
import { whyLines } from "./why.ts";

const PLAIN = { out: () => {}, err: () => {}, color: false };

test("a decision is told with what was known, and at the time that nines events tells", () => {
  const wallMs = Date.now();
  const event = {
    instance: "VI_1",
    kind: "state-changed",
    reason: "no master heard for 3609 ms",
    from: "BACKUP",
    to: "MASTER",
  } as const;
  const decisions = [{ atMs: 2_500, event, inputs: { basePriority: 100, preempt: true } }];
  const answer: Why = { instance: "VI_1", nowMs: 4_500, wallMs, decisions };
  const [head = "", ...rest] = whyLines(answer, PLAIN);
  assert.ok(head.endsWith(`${clockTime(wallMs - 2_000)} (2.00 s ago)  BACKUP -> MASTER`), head);
  assert.deepEqual(rest, ["  no master heard for 3609 ms", "  basePriority=100  preempt=true"]);
  const none = whyLines({ ...answer, decisions: [] }, PLAIN);
  assert.deepEqual(none, ["VI_1 has decided nothing yet"]);
});
