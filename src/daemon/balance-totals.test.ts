import assert from "node:assert/strict";
import { test } from "node:test";
import { Traffic, COUNTERS } from "../core/proxy/traffic.ts";
import type { ServerState } from "../core/balance/pool-ports.ts";
import { trafficNumbers, type ServedServer, type WorkerStatus } from "./balance-status.ts";
import { addUp, retire } from "./balance-totals.ts";

function traffic(requests: number, open: number): ServedServer["traffic"] {
  const counted = new Traffic();
  counted.add(COUNTERS.requests, requests);
  counted.add(COUNTERS.openConnections, open);
  for (let i = 0; i < requests; i++) counted.totalTime.record(i + 1);
  return trafficNumbers(counted, true);
}

interface Wish {
  readonly requests: number;
  readonly open?: number;
  readonly state?: ServerState;
  readonly active?: number;
  readonly latencyMs?: number;
}

function worker({
  requests,
  open = 0,
  state = "up",
  active = 0,
  latencyMs = -1,
}: Wish): WorkerStatus {
  const server: ServedServer = {
    name: "a",
    state,
    reason: `${state} it is`,
    sinceMs: 1000,
    usable: state === "up",
    tier: 0,
    weight: 1,
    effectiveWeight: 1,
    active,
    maxConnections: 10,
    latencyMs,
    drain: { requests: active, leftMs: 40, text: `left: ${active} requests, 40 ms` },
    started: requests,
    failed: 1,
    ejections: 0,
    traffic: traffic(requests, open),
  };
  return {
    pid: 1,
    serial: 1,
    version: "1",
    startedWallMs: 0,
    isDraining: false,
    residentBytes: 0,
    cpuMs: 0,
    logLinesDropped: 0,
    frontends: [{ name: "web", listening: [":80"], traffic: traffic(requests, open) }],
    pools: [
      {
        name: "pool",
        algorithm: "first",
        tier: 0,
        panic: false,
        waiting: 2,
        retryBalance: 1,
        traffic: traffic(requests, 0),
        servers: [server],
      },
    ],
  };
}

test("numbers of workers are added up, and so are their histograms", () => {
  const { frontends, pools } = addUp(
    [worker({ requests: 3, open: 1 }), worker({ requests: 4 })],
    [],
  );
  assert.equal(frontends[0]?.traffic.counts.requests, 7);
  assert.equal(frontends[0]?.traffic.counts.openConnections, 1);
  assert.equal(frontends[0]?.traffic.totalTime?.total, 7);
  assert.equal(frontends[0]?.traffic.totalTime?.sumMs, 6 + 10);
  assert.equal(pools[0]?.waiting, 4);
  assert.equal(pools[0]?.servers[0]?.started, 7);
  assert.equal(pools[0]?.servers[0]?.maxConnections, 20);
});

test("the state that most workers see is shown, and that others differ", () => {
  const all = [
    worker({ requests: 1 }),
    worker({ requests: 1, state: "ejected" }),
    worker({ requests: 1 }),
  ];
  const [server] = addUp(all, []).pools[0]!.servers;
  assert.equal(server?.state, "up");
  assert.equal(server?.seenBy, "2 of 3 workers");
  assert.equal(addUp(all.slice(0, 1), []).pools[0]!.servers[0]?.seenBy, undefined);
});

test("a drain counts the requests of all workers, a latency only those that know one", () => {
  const all = [
    worker({ requests: 1, state: "drain", active: 2, latencyMs: 10 }),
    worker({ requests: 1, state: "drain", active: 1 }),
  ];
  const [server] = addUp(all, []).pools[0]!.servers;
  assert.equal(server?.drain?.text, "left: 3 requests, 40 ms");
  assert.equal(server?.latencyMs, 10);
});

test("what workers did that have ended is kept, what they had open is not", () => {
  const first = retire(worker({ requests: 5, open: 3 }), undefined);
  const both = retire(worker({ requests: 2, open: 1 }), first);
  const { frontends, pools } = addUp([worker({ requests: 1, open: 2 })], [both]);
  assert.equal(frontends[0]?.traffic.counts.requests, 8);
  assert.equal(frontends[0]?.traffic.counts.openConnections, 2);
  assert.equal(pools[0]?.servers[0]?.traffic.counts.requests, 8);
  // States are those of the living only.
  assert.equal(pools[0]?.waiting, 2);
});

test("what living workers listen on is shown, though an older one drains", () => {
  const busy = worker({ requests: 1 });
  const frontends = busy.frontends.map((one) => ({ ...one, listening: [] }));
  const killed = busy.frontends.map((one) => ({ ...one, listening: [":8080"] }));
  const { frontends: shown } = addUp(
    [{ ...busy, frontends }, busy, busy],
    [{ ...busy, frontends: killed }],
  );
  assert.deepEqual(shown[0]?.listening, [":80"]);
});

test("with nobody alive the numbers of the dead are shown", () => {
  const gone = retire(worker({ requests: 5, open: 3 }), undefined);
  assert.equal(addUp([], [gone]).frontends[0]?.traffic.counts.requests, 5);
});
