import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournalRecord } from "../core/journal/record.ts";
import type { NodeView } from "./api.ts";
import { NodePresence, silenceIn } from "./node-presence.ts";

function view(name: string, state: NodeView["state"], ageMs = 0): NodeView {
  return {
    name,
    isSelf: name === "a",
    state,
    reason: `${name} is ${state}`,
    ageMs,
    version: "",
    roles: [],
  };
}

test("a node that falls silent and one that comes back is told once; one never heard, and this one, are not", () => {
  const told: unknown[] = [];
  const presence = new NodePresence({
    say: ({ kind, subject, data }) => void told.push([kind, subject, data?.["lastMs"]]),
  });
  const look = (nowMs: number, ...nodes: readonly NodeView[]): void => presence.look(nodes, nowMs);
  look(1_000, view("a", "UNKNOWN"), view("b", "UNKNOWN"));
  look(2_000, view("a", "UP"), view("b", "STANDBY"));
  look(3_000, view("a", "UP"), view("b", "UP"));
  look(20_000, view("a", "UP"), view("b", "UNKNOWN", 7_500));
  look(22_000, view("a", "UP"), view("b", "UNKNOWN", 9_500));
  look(30_000, view("a", "UP"), view("b", "DEGRADED"));
  assert.deepEqual(told, [
    ["node-heard", "b", undefined],
    ["node-lost", "b", 12_500],
    ["node-heard", "b", undefined],
  ]);
});

test("at a moment a node is silent from the last word on, though that was noticed later", () => {
  const record = (kind: string, wallMs: number, lastMs?: number): JournalRecord =>
    ({ kind, wallMs, reason: "r", data: { lastMs } }) as unknown as JournalRecord;
  const records = [
    record("node-heard", 10),
    record("node-lost", 107, 100),
    record("note", 150),
    record("node-heard", 200),
  ];
  const at = (atMs: number): number | undefined => silenceIn(records, atMs)?.lastMs;
  assert.deepEqual([5, 50, 100, 101, 150, 199, 200, 300].map(at), [
    undefined,
    undefined,
    undefined,
    100,
    100,
    100,
    undefined,
    undefined,
  ]);
});
