import assert from "node:assert/strict";
import { test } from "node:test";
import type { Why } from "../daemon/control-api.ts";
import { clockTime } from "../daemon/event-log.ts";
import type { ControlClient } from "../daemon/control-client.ts";
import { why, whyLines } from "./why.ts";

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

test("of a group the decisions of its members are told", async () => {
  const router = {
    instances: [{ name: "G1" }, { name: "G2" }],
    groups: [{ name: "GRP", members: ["G1", "G2"] }],
  };
  const client = {
    status: async () => ({ router }),
    why: async (instance: string) => ({ instance, nowMs: 0, wallMs: 0, decisions: [] }),
  } as unknown as ControlClient;
  const said: string[] = [];
  const terminal = { ...PLAIN, out: (text: string) => void said.push(text) };
  assert.equal(await why(client, { instance: "GRP", json: false }, terminal), 0);
  assert.deepEqual(said, [
    "G1 of group GRP:",
    "  G1 has decided nothing yet",
    "G2 of group GRP:",
    "  G2 has decided nothing yet",
  ]);
  await why(client, { instance: "G1", json: false }, terminal);
  assert.equal(said.at(-1), "G1 has decided nothing yet");
});
