import { test } from "node:test";
import assert from "node:assert/strict";
import type { InstanceStatus } from "../core/vrrp/status.ts";
import { noCounters } from "../core/vrrp/status.ts";
import type { NodeStatus } from "../daemon/control-api.ts";
import { type ControlClient, ControlFailure } from "../daemon/control-client.ts";
import { status, statusLines } from "./status.ts";
import type { Terminal } from "./terminal.ts";

const PLAIN: Terminal = { out: () => {}, err: () => {}, color: false };

const INSTANCE: InstanceStatus = {
  name: "VI_1",
  state: "BACKUP",
  sinceMs: 1_000,
  reason: "10.0.0.2 has higher priority 150 (ours 90)",
  interface: "eth0",
  family: "ipv4",
  version: 2,
  vrid: 51,
  basePriority: 100,
  effectivePriority: 90,
  advertIntervalMs: 1000,
  masterDownIntervalMs: 3648,
  addresses: ["192.0.2.9/24"],
  master: { address: "10.0.0.2", priority: 150, lastHeardMs: 60_500 },
  peers: [{ address: "10.0.0.2", priority: 150, lastHeardMs: 60_500 }],
  tracks: [
    { kind: "script", name: "chk", weight: -10, ok: false, effect: -10, reason: "exited 1" },
    { kind: "interface", name: "eth0", weight: 0, ok: true, effect: 0, reason: "eth0 is up" },
  ],
  witnesses: [{ address: "10.0.0.254", reachable: true }],
  splitBrain: { peer: "10.0.0.3", sinceMs: 56_000, reason: "10.0.0.3 is master as well" },
  lease: { enabled: true, durationMs: 3000, renewedMs: 0 },
  counters: { ...noCounters(), advertsReceived: 59 },
};

const NODE: NodeStatus = {
  version: "1.0.0",
  pid: 10,
  startedWallMs: 0,
  wallMs: 61_000,
  configuration: { file: "/etc/k.conf", loadedWallMs: 0, warnings: 1 },
  roles: [
    { name: "vrrp", state: "running", pid: 11, sinceWallMs: 0, restarts: 0 },
    { name: "check", state: "backing-off", sinceWallMs: 0, restarts: 3 },
  ],
  router: {
    nowMs: 61_000,
    instances: [INSTANCE],
    groups: [{ name: "G", state: "BACKUP", members: ["VI_1"] }],
    rejected: { checksum: 2, ttl: 0 },
    lateness: { lastMs: 0.05, maxMs: 3, p99Ms: 0.2 },
  },
  routerAgeMs: 5,
};

test("status says who holds what, since when, and why", () => {
  assert.deepEqual(statusLines(NODE, PLAIN), [
    "nines 1.0.0  pid 10, up 1m 01s",
    "/etc/k.conf, read 1m 01s ago, 1 warning",
    "roles: vrrp running (pid 11); check backing-off, restarted 3 times",
    "",
    "INSTANCE  STATE   FOR     PRIORITY  INTERFACE  VRID   MASTER    ADDRESSES",
    "VI_1      BACKUP  1m 00s  90 (100)  eth0       51/v2  10.0.0.2  192.0.2.9/24",
    "",
    "VI_1: BACKUP because 10.0.0.2 has higher priority 150 (ours 90)",
    "  split brain since 5.00 s ago: 10.0.0.3 is master as well",
    "  peer 10.0.0.2  priority 150, heard 500 ms ago",
    "  script chk  -10 priority: exited 1",
    "  interface eth0  ok: eth0 is up",
    "  witness 10.0.0.254  answers",
    "  adverts every 1.00 s, master counts as dead after 3.65 s; lease 3.00 s",
    "  sent 0, received 59, became master 0 times",
    "",
    "GROUP  STATE   MEMBERS",
    "G      BACKUP  VI_1",
    "",
    "woken late by 50 us last, 200 us in 99 %, 3.00 ms at worst",
    "rejected packets: checksum 2",
  ]);
});

test("of a master the lease is told with its last renewal", () => {
  const lease = { enabled: true, durationMs: 3000, renewedMs: 60_900 };
  const counters = { ...noCounters(), becameMaster: 1 };
  const instances = [{ ...INSTANCE, state: "MASTER", lease, counters } as const];
  const text = statusLines({ ...NODE, router: { ...NODE.router!, instances } }, PLAIN).join("\n");
  assert.match(text, /dead after 3\.65 s; lease 3\.00 s, renewed 100 ms ago\n/u);
  assert.match(text, /became master 1 time\n/u);
});

test("old numbers are told to be old, missing ones to be missing", () => {
  const stale = statusLines({ ...NODE, routerAgeMs: 9_000 }, PLAIN);
  assert.ok(stale.includes("the vrrp process does not answer; this is 9.00 s old"));
  const { router: _router, ...empty } = NODE;
  assert.equal(statusLines(empty, PLAIN).at(-1), "the vrrp process has not answered yet");
});

test("who watches a node that is renewed sees that, and then goes on seeing the node", async () => {
  const answers = [NODE, new ControlFailure("nobody answers"), NODE, new Error("enough")];
  const client = {
    status: async () => {
      const answer = answers.shift()!;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  } as unknown as ControlClient;
  const shown: string[] = [];
  const terminal = { ...PLAIN, columns: 80, out: (text: string) => void shown.push(text) };
  const options = { watch: true, json: false };
  await assert.rejects(status(client, { ...options, everyMs: 0 }, terminal), /enough/);
  assert.deepEqual(
    shown.map((text) => /nobody answers|nines 1\.0\.0/.exec(text)?.[0]),
    ["nines 1.0.0", "nobody answers", "nines 1.0.0"],
  );
  answers.push(NODE, new ControlFailure("nobody answers"));
  await assert.rejects(status(client, { ...options, everyMs: 0 }, PLAIN), /nobody answers/);
});

test("a configuration that waits to be confirmed says when it goes", () => {
  const configuration = { ...NODE.configuration, goesBackInMs: 27_000 };
  const [, , line] = statusLines({ ...NODE, configuration }, PLAIN);
  assert.match(line ?? "", /comes back in 27\.0 s; keep this one: nines confirm/);
});
