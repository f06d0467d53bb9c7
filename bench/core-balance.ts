/**
 * `node --expose-gc bench/core-balance.ts [--count N] [--json]`: what the choice of a server costs one
 * request: `pick`, `started` and `finished` together, for each algorithm and number of servers.
 */

import { parseArgs } from "node:util";
import { ALGORITHMS, PoolRig, poolSettings, request } from "../test/kit/pool-rig.ts";
import { mixed } from "../src/core/balance/hash.ts";
import { maglevTable } from "../src/core/balance/pick-by-table.ts";
import type { Algorithm } from "../src/core/balance/pool-settings.ts";
import { StickyCookie } from "../src/core/balance/sticky-cookie.ts";
import { StickTable } from "../src/core/balance/stick-table.ts";
import { stepCost, type Cost } from "./step-cost.ts";

/** Requests that run at the same time. */
const IN_FLIGHT = 64;

function requestCost(algorithm: Algorithm, servers: number, count: number): Cost {
  const drafts = Array.from({ length: servers }, () => ({}));
  const { pool } = new PoolRig(poolSettings(drafts, { algorithm }));
  const asked = request();
  const first = pool.servers[0]!;
  const running = Array.from({ length: IN_FLIGHT }, () => first);
  for (const server of running) pool.started(0, server);
  let now = 0;
  let i = 0;
  const cost = stepCost(count, () => {
    i = (i + 1) % IN_FLIGHT;
    now += 0.03;
    pool.finished(now, running[i]!, "ok", 2);
    asked.hash = mixed(asked.hash + 0x9e3779b9);
    const { server } = pool.pick(now, asked);
    if (server === undefined) throw new Error("nobody serves");
    pool.started(now, server);
    running[i] = server;
    if (now >= pool.deadline) pool.wake(now);
  });
  return cost;
}

/** Milliseconds, the best of some. */
function once(run: () => void): number {
  const times = Array.from({ length: 7 }, () => {
    const start = process.hrtime.bigint();
    run();
    return Number(process.hrtime.bigint() - start) / 1e6;
  });
  return Math.min(...times);
}

function changes(servers: number): Record<string, number> {
  const drafts = Array.from({ length: servers }, () => ({}));
  const settings = poolSettings(drafts, { algorithm: ALGORITHMS[5]! });
  const rig = new PoolRig(settings);
  let weight = 2;
  return {
    "Maglev table, 65537 places": once(() => maglevTable(rig.pool.servers, 65_537)),
    "one weight changed": once(() => rig.pool.setWeight(0, "web1", (weight = 5 - weight))),
    "one server down and up": once(() => {
      rig.down("web1");
      rig.up("web1");
    }),
    "whole reload, nothing changed": once(() => rig.pool.update(0, settings)),
  };
}

function stickiness(count: number): Record<string, Cost> {
  const secret = new Uint8Array(32).fill(7);
  const settings = {
    kind: "cookie",
    name: "SRV",
    mode: "insert",
    secret,
    maxAgeMs: 0,
    maxIdleMs: 0,
    secure: true,
    sameSite: "lax",
  } as const;
  const cookie = new StickyCookie(settings, "web", ["web1", "web2", "web3"]);
  const values = Array.from({ length: 1000 }, (_, i) => cookie.value("web2", i * 1000));
  const table = new StickTable(100_000, 1_800_000);
  const keys = Array.from({ length: 1000 }, (_, i) => `192.0.2.${i}`);
  for (const key of keys) table.stick(0, key, "web1");
  let i = 0;
  return {
    "cookie read again": stepCost(count, () => {
      cookie.read(values[i++ % 1000], 0);
    }),
    "cookie made": stepCost(Math.ceil(count / 50), () => {
      cookie.value("web1", i++);
    }),
    "table asked": stepCost(count, () => {
      table.find(i++ / 1000, keys[i % 1000]!);
    }),
  };
}

const { values } = parseArgs({
  options: { count: { type: "string", default: "1000000" }, json: { type: "boolean" } },
});
const count = Number(values.count);
const sizes = [3, 50, 1000];
const costs = Object.fromEntries(
  ALGORITHMS.map((algorithm) => [
    algorithm.kind,
    sizes.map((servers) =>
      requestCost(algorithm, servers, servers === 1000 ? Math.ceil(count / 10) : count),
    ),
  ]),
);
if (values.json === true) console.log(JSON.stringify(costs));
else {
  const shown = Object.entries(costs).map(([kind, row]) => {
    const cells = row.map(({ ns }, i) => [`${sizes[i]} servers, ns`, Math.round(ns)]);
    return [kind, Object.fromEntries([...cells, ["bytes", Math.round(row[0]!.bytes)]])];
  });
  console.log("\none request: pick, started, finished (bytes: of garbage, with 3 servers)");
  console.table(Object.fromEntries(shown));
  console.log("\nclients bound to servers");
  console.table(stickiness(count));
  console.log("\nchanges of a pool of 1000 servers, ms");
  console.table(changes(1000));
}
