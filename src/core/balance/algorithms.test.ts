import assert from "node:assert/strict";
import { test } from "node:test";
import { algorithmConformance, type Skips } from "../../../test/kit/algorithm-conformance.ts";
import { ALGORITHMS, PoolRig, poolSettings, serverSettings } from "../../../test/kit/pool-rig.ts";
import { Prng } from "../../lib/prng.ts";
import { maglevTable } from "./pick-by-table.ts";
import { Server } from "./server.ts";

const NO_KEYS = "it looks at no key of the request";
const NO_CHANCE = "it draws nothing";
const SKIPS: Readonly<Record<string, Skips>> = {
  "round-robin": { keys: NO_KEYS, seeds: NO_CHANCE },
  "least-connections": { keys: NO_KEYS, seeds: NO_CHANCE },
  "two-choices": { keys: NO_KEYS },
  "peak-ewma": { keys: NO_KEYS },
  hash: { seeds: NO_CHANCE },
  maglev: { seeds: NO_CHANCE },
  first: { keys: NO_KEYS, seeds: NO_CHANCE, fairness: "it fills one server before the next" },
  random: { keys: NO_KEYS },
};

for (const algorithm of ALGORITHMS) {
  algorithmConformance(
    algorithm.kind,
    (servers, { seed }) => new PoolRig(poolSettings(servers, { algorithm }), seed),
    SKIPS[algorithm.kind]!,
  );
}

test("smooth weighted round robin spreads 5, 1, 1 as a a b a c a a", () => {
  const rig = new PoolRig(poolSettings([{ weight: 5 }, {}, {}]));
  const names = Array.from({ length: 7 }, () => rig.pick());
  assert.deepEqual(names, ["web1", "web1", "web2", "web1", "web3", "web1", "web1"]);
});

test("least connections takes equal servers in turn", () => {
  const settings = poolSettings([{}, {}, {}], { algorithm: { kind: "least-connections" } });
  const rig = new PoolRig(settings);
  const names = Array.from({ length: 6 }, () => rig.pick());
  assert.deepEqual(names, ["web1", "web2", "web3", "web1", "web2", "web3"]);
});

test("first fills a server up to its limit before it takes the next", () => {
  const limits = [{ maxConnections: 2 }, { maxConnections: 1 }, {}];
  const rig = new PoolRig(poolSettings(limits, { algorithm: { kind: "first" } }));
  const names = Array.from({ length: 5 }, () => {
    const name = rig.pick()!;
    rig.start(name);
    return name;
  });
  assert.deepEqual(names, ["web1", "web1", "web2", "web3", "web3"]);
});

test("a hash with a bound moves the overflow of one busy key to others and maglev does not", () => {
  const servers = [{}, {}, {}, {}];
  const play = (algorithm: (typeof ALGORITHMS)[number]) => {
    const rig = new PoolRig(poolSettings(servers, { algorithm }));
    const load = new Map<string, number>();
    for (let i = 0; i < 100; i++) {
      const name = rig.pick({ hash: 12_345 })!;
      rig.start(name);
      load.set(name, (load.get(name) ?? 0) + 1);
    }
    return Math.max(...load.values());
  };
  assert.equal(play({ kind: "hash", key: { of: "source" }, boundPercent: 125 }), 32);
  assert.equal(play({ kind: "maglev", key: { of: "source" }, tableSize: 65_537 }), 100);
});

test("a Maglev table gives each of 100 servers its share of the places to 2 %", () => {
  const servers = Array.from({ length: 100 }, (_, i) => new Server(i, serverSettings(i), 0));
  const counts = servers.map(() => 0);
  for (const owner of maglevTable(servers, 65_537)) counts[owner]!++;
  const share = 65_537 / 100;
  assert.ok(Math.max(...counts) < share * 1.02 && Math.min(...counts) > share * 0.98);
});

test("peak-EWMA sends a server that is ten times slower far less, and more when it recovers", () => {
  const rig = new PoolRig(
    poolSettings([{}, {}, {}, {}], { algorithm: { kind: "peak-ewma", decayMs: 10_000 } }),
  );
  const slow = (server: Server) => (server.name === "web1" ? 100 : 10);
  const during = rig.play({ requests: 8000, inFlight: 4, latencyMs: slow });
  assert.ok(during["web1"]! < 8000 * 0.03, `the slow one got ${during["web1"]} of 8000`);
  const after = rig.play({ requests: 60_000, inFlight: 4 });
  assert.ok(after["web1"]! > 60_000 * 0.15, `the recovered one got ${after["web1"]} of 60000`);
});

test("peak-EWMA takes failures for slowness, however quickly a server refuses", () => {
  const settings = poolSettings([{}, {}, {}], {
    algorithm: { kind: "peak-ewma", decayMs: 10_000 },
    outlier: { ...poolSettings([]).outlier, enabled: false },
  });
  const rig = new PoolRig(settings);
  const counts = rig.play({
    requests: 3000,
    inFlight: 3,
    latencyMs: (server) => (server.name === "web1" ? 0.1 : 10),
    outcome: (server) => (server.name === "web1" ? "connect-failed" : "ok"),
  });
  assert.ok((counts["web1"] ?? 0) < 60, `the failing one got ${counts["web1"]} of 3000`);
});

test("peak-EWMA sends a new server one request until it has answered", () => {
  const algorithm = { kind: "peak-ewma", decayMs: 10_000 } as const;
  const rig = new PoolRig(poolSettings([{}, {}], { algorithm }));
  rig.play({ requests: 100, inFlight: 2 });
  const { settings } = rig.pool;
  const three = poolSettings([{}, {}, {}]).servers;
  rig.pool.update(rig.now, { ...settings, servers: three });
  let sent = 0;
  for (let i = 0; i < 30; i++) {
    const name = rig.pick()!;
    if (name === "web3") sent++;
    rig.start(name);
  }
  assert.equal(sent, 1);
});

test("another algorithm at run time keeps counts and latencies", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  rig.play({ requests: 10 });
  rig.start("web1");
  rig.pool.update(rig.now, {
    ...rig.pool.settings,
    algorithm: { kind: "least-connections" },
  });
  assert.equal(rig.pick(), "web2");
  assert.equal(rig.server("web1").started, 6);
  assert.equal(rig.server("web1").latencyMs, 10);
});

test("a draw by weight hits each server in proportion", () => {
  const rig = new PoolRig(
    poolSettings(
      Array.from({ length: 9 }, (_, i) => ({ weight: i + 1 })),
      { algorithm: { kind: "random" } },
    ),
    new Prng(3).uint32(),
  );
  const counts = rig.play({ requests: 45_000 });
  for (let i = 1; i <= 9; i++) {
    const got = counts[`web${i}`]!;
    assert.ok(Math.abs(got - i * 1000) < 150, `web${i} got ${got}`);
  }
});
