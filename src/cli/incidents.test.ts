import assert from "node:assert/strict";
import { test } from "node:test";
import { groupIncidents } from "../core/ledger/group-incidents.ts";
import type { ConsoleClient } from "./console-client.ts";
import { incidentLines, listIncidents } from "./incidents.ts";

const INCIDENT = {
  node: "lb1",
  id: "web-20261121T132134Z",
  service: "web",
  layer: "address",
  cause: "no advert",
  parts: [],
  state: "closed",
  startMs: 1_800_000_000_000,
  detectedMs: 1_800_000_000_000,
  detectedBy: "lb1",
  recovery: "by itself",
  segments: [],
  severity: "down",
  class: "accident",
  classBy: "rule",
  harmMs: 1500,
  rtoMs: 1500,
  goodRequests: 0,
  badRequests: 1,
  score: 0,
  scoreFromStart: 0,
  owners: [],
  annotations: [],
} as const;

test("what was broken on purpose is listed as a drill's", async () => {
  const laterMs = INCIDENT.startMs + 3_600_000;
  const later = { ...INCIDENT, startMs: laterMs, detectedMs: laterMs, id: "web-2" };
  const incidents = groupIncidents([{ ...INCIDENT, drill: "kill-all" }, later], later.startMs);
  const client = { get: () => Promise.resolve({ incidents }) } as unknown as ConsoleClient;
  const said: string[] = [];
  const terminal = { out: (text: string) => void said.push(text), err: () => {}, color: false };
  const code = await listIncidents(
    { stateDir: "/none", client, json: false, all: false },
    terminal,
  );
  assert.equal(code, 0, said.join("\n"));
  assert.equal(said.filter((line) => /closed, drill kill-all +accident/u.test(line)).length, 1);
  assert.equal(said.filter((line) => /closed +accident .* 0 s /u.test(line)).length, 1);
});

test("of very many parts the first are told, in the order of their names, and how many more", () => {
  const parts = Array.from({ length: 40 }, (_, i) => `server web/${99 - i}`);
  const [one] = groupIncidents([{ ...INCIDENT, parts }], INCIDENT.startMs + 1);
  const line = incidentLines(one!, "UTC").find((text) => text.startsWith("  parts")) ?? "";
  assert.match(
    line,
    /^  parts {6}server web\/60; server web\/61; .*web\/71; and 28 more: see --json$/u,
  );
});
