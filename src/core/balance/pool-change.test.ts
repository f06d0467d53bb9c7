import assert from "node:assert/strict";
import { test } from "node:test";
import { PoolRig, poolSettings, request, serverSettings } from "../../../test/kit/pool-rig.ts";
import type { ServerSettings } from "./pool-settings.ts";

const drainOf = (rig: PoolRig, name: string) =>
  rig.pool.status(rig.now).servers.find((server) => server.name === name)?.drain;

test("a draining server keeps what runs and what is bound to it, and tells how far it is", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  for (let i = 0; i < 3; i++) rig.start("web1");
  rig.pool.setAdmin(rig.now, "web1", { state: "drain", reason: "by anna", deadlineMs: 60_000 });
  assert.deepEqual(rig.events(), ["web1 drain-started: by anna"]);
  rig.pass(19_000);
  assert.deepEqual(drainOf(rig, "web1"), {
    requests: 3,
    leftMs: 41_000,
    text: "left: 3 requests, 41 s",
  });
  assert.deepEqual(rig.play({ requests: 4 }), { web2: 4 });
  const bound = rig.pool.pick(rig.now, request({ sticky: "web1" }));
  assert.equal(bound.server?.name, "web1");
  assert.equal(bound.why, "sticky");
  for (let i = 0; i < 3; i++) rig.finish("web1");
  assert.deepEqual(rig.events(), ["web1 drained: no request left"]);
});

test("at the end of its time a draining server is cut off, and its clients go elsewhere", () => {
  const rig = new PoolRig(poolSettings([{}, {}], { drainDeadlineMs: 10_000 }));
  rig.start("web1");
  rig.pool.setAdmin(rig.now, "web1", { state: "drain", reason: "by anna" });
  rig.events();
  assert.equal(rig.pool.deadline, rig.now + 10_000);
  rig.pass(10_000);
  assert.deepEqual(rig.events(), [
    "web1 drain-deadline: time is over with 1 request left",
    "web1 cut-connections: its time to drain is over",
  ]);
  rig.finish("web1", "cancelled", -1);
  assert.deepEqual(rig.events(), ["web1 drained: no request left"]);
  const bound = rig.pool.pick(rig.now, request({ sticky: "web1" }));
  assert.equal(bound.server?.name, "web2");
  assert.equal(bound.why, "redispatched");
  assert.equal(bound.reason, "bound to web1 drain (by anna)");
});

test("the end of a drain's time says nothing when nothing was left, but for bound clients", () => {
  for (const [stickiness, told] of [
    [{ kind: "none" }, []],
    [
      { kind: "table", key: { of: "source" }, size: 10, ttlMs: 60_000 },
      ["web1 drain-deadline: time is over: clients bound to it go elsewhere from now on"],
    ],
  ] as const) {
    const rig = new PoolRig(poolSettings([{}, {}], { drainDeadlineMs: 10_000, stickiness }));
    rig.pool.setAdmin(rig.now, "web1", { state: "drain", reason: "by anna" });
    assert.deepEqual(rig.events(), [
      "web1 drain-started: by anna",
      "web1 drained: no request left",
    ]);
    rig.pass(10_000);
    assert.deepEqual(rig.events(), told);
  }
});

test("maintenance refuses bound clients at once and ready ends it", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  rig.pool.setAdmin(rig.now, "web1", { state: "maint", reason: "disk" });
  assert.equal(rig.pick({ sticky: "web1" }), "web2");
  assert.deepEqual(rig.events(), ["web1 maint: disk", "web1 drained: no request left"]);
  rig.pool.setAdmin(rig.now, "web1", { state: "ready", reason: "done" });
  assert.equal(rig.pick({ sticky: "web1" }), "web1");
  assert.deepEqual(rig.events(), ["web1 ready: done"]);
  assert.equal(drainOf(rig, "web1"), undefined);
});

test("a server that has no check any more is not drained by the word of the old one", () => {
  const rig = new PoolRig(poolSettings([{}, {}], { drainDeadlineMs: 10_000 }));
  rig.pool.setHealth(rig.now, "web1", { up: true, reason: "agent: drain", admin: "drain" });
  rig.events();
  const { settings } = rig.pool;
  const { check: _, ...unchecked } = serverSettings(0);
  rig.pool.update(rig.now, { ...settings, servers: [unchecked, settings.servers[1]!] });
  rig.start("web1");
  rig.pass(20_000);
  assert.deepEqual(rig.events(), ["web1 ready: the configuration says ready"]);
  assert.equal(rig.pick({ sticky: "web1" }), "web1");
});

test("a server that is put back while it leaves has no orders of its former time", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  rig.start("web1");
  rig.pool.setAdmin(rig.now, "web1", { state: "drain", reason: "disk" });
  rig.pool.setWeight(rig.now, "web1", 7);
  const { settings } = rig.pool;
  rig.pool.update(rig.now, { ...settings, servers: settings.servers.slice(1) });
  rig.pool.update(rig.now, settings);
  const { state, weight } = rig.pool.status(rig.now).servers[0]!;
  assert.deepEqual({ state, weight }, { state: "unchecked", weight: 1 });
  assert.deepEqual(rig.pool.overrides(), []);
});

test("a further drain order with another time moves the deadline", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  rig.start("web1");
  rig.pool.setAdmin(rig.now, "web1", { state: "drain", reason: "slowly", deadlineMs: 60_000 });
  rig.pool.setAdmin(rig.now, "web1", { state: "drain", reason: "hurry", deadlineMs: 1000 });
  assert.equal(drainOf(rig, "web1")?.leftMs, 1000);
});

test("weight 0 takes only clients that are bound", () => {
  const rig = new PoolRig(poolSettings([{ weight: 0 }, {}]));
  assert.deepEqual(rig.play({ requests: 4 }), { web2: 4 });
  assert.equal(rig.pick({ sticky: "web1" }), "web1");
});

test("a client bound to a server that is gone, down or tried is bound anew", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  assert.equal(rig.pool.pick(rig.now, request({ sticky: "web7" })).why, "redispatched");
  assert.equal(
    rig.pool.pick(rig.now, request({ sticky: "web7" })).reason,
    "bound to a server that is gone",
  );
  const tried = [rig.server("web1")];
  const { server, why } = rig.pool.pick(rig.now, request({ sticky: "web1", tried }));
  assert.equal(server?.name, "web2");
  assert.equal(why, "redispatched");
  rig.down("web1", "no answer");
  assert.equal(
    rig.pool.pick(rig.now, request({ sticky: "web1" })).reason,
    "bound to web1 down (no answer)",
  );
});

test("a reload keeps what runs and what was learned, and touches only what changed", () => {
  const rig = new PoolRig(poolSettings([{}, {}, {}]));
  rig.play({ requests: 30 });
  rig.down("web2", "no answer");
  rig.start("web3");
  const [first, second, third] = rig.pool.servers;
  rig.events();
  const { settings } = rig.pool;
  const servers = [...settings.servers.slice(0, 2), serverSettings(3)];
  rig.pool.update(rig.now, { ...settings, servers });
  assert.equal(rig.server("web1"), first);
  assert.equal(rig.server("web2"), second);
  assert.equal(first?.started, 10);
  assert.equal(rig.pool.status(rig.now).servers[1]?.state, "down");
  assert.deepEqual(rig.events(), [
    "web4 added: in the configuration",
    "web3 removed: not in the configuration any more",
  ]);
  assert.equal(rig.server("web3"), third, "one request still runs there");
  assert.equal(rig.pool.setWeight(rig.now, "web3", 5), false);
  assert.equal(rig.pool.status(rig.now).servers.at(-1)?.state, "leaving");
  assert.deepEqual(rig.play({ requests: 4 }), { web1: 2, web4: 2 });
  rig.finish("web3");
  assert.deepEqual(rig.events(), ["web3 drained: no request left"]);
  assert.equal(rig.pool.server("web3"), undefined);
  rig.pool.update(rig.now, { ...settings, servers: settings.servers.slice(0, 1) });
  assert.deepEqual(
    rig.pool.servers.map(({ name }) => name),
    ["web1"],
  );
});

test("a removed server whose requests do not end is cut off at its deadline", () => {
  const rig = new PoolRig(poolSettings([{}, {}], { drainDeadlineMs: 5000 }));
  rig.start("web2");
  const { settings } = rig.pool;
  rig.pool.update(rig.now, { ...settings, servers: settings.servers.slice(0, 1) });
  rig.pass(5000);
  assert.equal(rig.events().at(-1), "web2 cut-connections: its time to drain is over");
});

test("a server that is put back while it leaves goes on as before", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  rig.start("web2");
  const before = rig.server("web2");
  const { settings } = rig.pool;
  rig.pool.update(rig.now, { ...settings, servers: settings.servers.slice(0, 1) });
  rig.pool.update(rig.now, settings);
  assert.equal(rig.server("web2"), before);
  assert.equal(before.usable, true);
  rig.finish("web2");
  assert.equal(rig.pool.server("web2"), before);
  assert.equal(rig.pool.deadline < rig.now + 300_000, true);
});

test("an operator's word outlives a reload until the configuration says something else", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  const drain = { state: "drain", reason: "by anna" } as const;
  rig.pool.setAdmin(rig.now, "web1", drain);
  rig.pool.setWeight(rig.now, "web2", 7);
  assert.deepEqual(rig.pool.overrides(), [
    { server: "web1", admin: drain },
    { server: "web2", weight: 7 },
  ]);
  const { settings } = rig.pool;
  rig.pool.update(rig.now, { ...settings, panicPercent: 5 });
  assert.equal(rig.server("web1").admin, "drain");
  assert.equal(rig.server("web2").weight, 7);
  const servers = [
    serverSettings(0, { admin: "maint" }),
    serverSettings(1, { weight: 3, maxConnections: 9 }),
  ];
  rig.pool.update(rig.now, { ...settings, servers });
  assert.equal(rig.server("web1").admin, "maint");
  assert.equal(rig.server("web2").weight, 3);
  assert.deepEqual(rig.pool.overrides(), []);
  assert.ok(rig.events().includes("web1 maint: the configuration says maint"));
});

test("a server that is down stays down under other checks, until they or nothing is heard of it", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  const change = (draft: Partial<ServerSettings>): void => {
    const { settings } = rig.pool;
    rig.pool.update(rig.now, {
      ...settings,
      servers: [serverSettings(0, draft), settings.servers[1]!],
    });
  };
  const state = (): string | undefined => rig.pool.status(rig.now).servers[0]?.state;
  rig.pool.setHealth(rig.now, "web1", { up: false, reason: "x", weightPercent: 50 });
  rig.events();
  change({ alsoChecks: ["tcp"] });
  change({ check: "tcp" });
  assert.deepEqual([state(), rig.play({ requests: 4 })], ["down", { web2: 4 }]);
  rig.pool.setHealth(rig.now, "web1", undefined);
  assert.deepEqual([state(), rig.play({ requests: 4 })], ["unchecked", { web1: 2, web2: 2 }]);
  rig.down("web1");
  rig.events();
  const { check: _, ...unchecked } = serverSettings(0);
  rig.pool.update(rig.now, {
    ...rig.pool.settings,
    servers: [unchecked, rig.pool.settings.servers[1]!],
  });
  assert.deepEqual([state(), rig.events()], ["unchecked", []]);
});

test("another address under the same name forgets what was learned of the old one", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  rig.play({ requests: 10 });
  rig.down("web1");
  rig.events();
  const { settings } = rig.pool;
  const endpoint = { kind: "ip", address: "198.51.100.7", port: 8080 } as const;
  const servers = [serverSettings(0, { endpoint }), settings.servers[1]!];
  rig.pool.update(rig.now, { ...settings, servers });
  assert.deepEqual(rig.events(), ["web1 moved: listens at 198.51.100.7 port 8080"]);
  assert.equal(rig.server("web1").latencyMs, -1);
  // What its check asks may still be the same.
  assert.equal(rig.pool.status(rig.now).servers[0]?.state, "down");
});

test("a weight set at run time is told with both values", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  rig.pool.setWeight(rig.now, "web1", 5);
  rig.pool.setWeight(rig.now, "web1", 5);
  assert.deepEqual(rig.events(), ["web1 weight: 1 -> 5"]);
});

test("the status says of each server why it is so and for how long", () => {
  const rig = new PoolRig(poolSettings([{}, { maxConnections: 8 }]));
  rig.pass(500);
  rig.down("web1", "no answer");
  rig.pass(1500);
  rig.start("web2");
  const status = rig.pool.status(rig.now);
  assert.equal(status.tier, 0);
  assert.equal(status.algorithm, "round-robin");
  assert.deepEqual(status.servers[0], {
    name: "web1",
    state: "down",
    reason: "no answer",
    sinceMs: 1500,
    usable: false,
    tier: 0,
    weight: 1,
    effectiveWeight: 1,
    active: 0,
    maxConnections: 0,
    latencyMs: -1,
    started: 0,
    failed: 0,
    ejections: 0,
  });
  assert.equal(status.servers[1]?.active, 1);
  assert.equal(status.servers[1]?.maxConnections, 8);
});

test("a server that is finished more often than started is a bug that stops the process", () => {
  const rig = new PoolRig(poolSettings([{}]));
  assert.throws(() => rig.finish("web1"), /not started/);
});
