import assert from "node:assert/strict";
import { test } from "node:test";
import { PoolRig, poolSettings, request } from "../../../test/kit/pool-rig.ts";

const OUTLIER = poolSettings([]).outlier;

/** Five errors in a row, as the default setting has it. */
function fail(rig: PoolRig, name: string, times = 5): void {
  for (let i = 0; i < times; i++) {
    rig.start(name);
    rig.finish(name, "reset", -1);
  }
}

const state = (rig: PoolRig, name: string) =>
  rig.pool.status(rig.now).servers.find((server) => server.name === name)?.state;

test("a server that was never checked is used, a failed check takes it out with its reason", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  assert.equal(state(rig, "web1"), "unchecked");
  rig.down("web1");
  assert.equal(state(rig, "web1"), "down");
  assert.deepEqual(rig.events(), [
    "web1 down: check failed: status 503, wanted 200-399, 3 of 3",
    "web1 cut-connections: it is down",
  ]);
  assert.deepEqual(rig.play({ requests: 4 }), { web2: 4 });
  rig.up("web1");
  assert.deepEqual(rig.events(), ["web1 up: status 200"]);
  assert.equal(state(rig, "web1"), "up");
});

test("a verdict that repeats what is known is no event", () => {
  const rig = new PoolRig(poolSettings([{}]));
  rig.up("web1", "status 200 in 3 ms");
  rig.events();
  rig.up("web1", "status 200 in 5 ms");
  assert.deepEqual(rig.events(), []);
});

test("what is wrong with a down server now stands in its status, and is no event", () => {
  const rig = new PoolRig(poolSettings([{}]));
  rig.down("web1", "status 503");
  rig.events();
  rig.down("web1", "connection refused");
  assert.deepEqual(rig.events(), []);
  assert.equal(rig.pool.status(rig.now).servers[0]?.reason, "connection refused");
});

test("without killOnDown running requests of a down server may end", () => {
  const rig = new PoolRig(poolSettings([{}, {}], { killOnDown: false }));
  rig.down("web1", "no answer");
  assert.deepEqual(rig.events(), ["web1 down: no answer"]);
});

test("a verdict for a server that is not there is refused", () => {
  const rig = new PoolRig(poolSettings([{}]));
  assert.equal(rig.pool.setHealth(0, "web9", { up: true, reason: "" }), false);
  assert.equal(rig.pool.setAdmin(0, "web9", { state: "drain", reason: "" }), false);
  assert.equal(rig.pool.setWeight(0, "web9", 3), false);
});

test("nobody usable names everybody with the reason", () => {
  const rig = new PoolRig(poolSettings([{}, {}, { weight: 0 }]));
  rig.down("web1", "connection refused");
  rig.pool.setAdmin(rig.now, "web2", { state: "maint", reason: "upgrade by anna" });
  const { why, reason } = rig.pool.pick(rig.now, request());
  assert.equal(why, "none-usable");
  assert.equal(
    reason,
    "no server is usable: web1 down (connection refused), web2 maint (upgrade by anna), " +
      "web3 weight 0 (not checked yet)",
  );
});

test("an agent's percentage lowers the share and its words count beside the operator's", () => {
  const rig = new PoolRig(poolSettings([{ weight: 4 }, { weight: 4 }]));
  const up = { up: true, reason: "agent: up 25%" };
  rig.pool.setHealth(rig.now, "web1", { ...up, weightPercent: 25 });
  assert.deepEqual(rig.play({ requests: 50 }), { web1: 10, web2: 40 });
  rig.pool.setHealth(rig.now, "web1", { ...up, admin: "drain" });
  assert.equal(state(rig, "web1"), "drain");
  rig.pool.setAdmin(rig.now, "web1", { state: "ready", reason: "by anna" });
  assert.equal(state(rig, "web1"), "drain", "the stricter one counts");
  rig.pool.setHealth(rig.now, "web1", up);
  assert.equal(state(rig, "web1"), "up");
  assert.deepEqual(rig.events(), [
    "web1 up: agent: up 25%",
    "web1 weight: 100 % -> 25 %, says its check",
    "web1 weight: 25 % -> 100 %, says its check",
    "web1 drain-started: its agent says drain",
    "web1 drained: no request left",
    "web1 ready: by anna",
  ]);
});

test("an agent's limit stands in place of the configured one, divided among workers", () => {
  const rig = new PoolRig(poolSettings([{ maxConnections: 4, workers: 2 }, {}]));
  const limit = (): number | undefined => rig.pool.status(rig.now).servers[0]?.maxConnections;
  const say = (maxConnections?: number): void => {
    const verdict = {
      up: true,
      reason: "x",
      ...(maxConnections === undefined ? {} : { maxConnections }),
    };
    rig.pool.setHealth(rig.now, "web1", verdict);
  };
  const seen = [limit()];
  for (const word of [3, 0, 2, undefined]) {
    say(word);
    seen.push(limit());
  }
  assert.deepEqual(seen, [4, 2, 0, 1, 4]);
  say(2);
  rig.start("web1");
  assert.equal(rig.pick(), "web2", "its one place is taken");
});

test("errors in a row eject a server for its time, and it comes back by itself", () => {
  const rig = new PoolRig(poolSettings([{}, {}, {}]));
  fail(rig, "web1", 4);
  rig.start("web1");
  rig.finish("web1");
  fail(rig, "web1", 4);
  assert.deepEqual(rig.events(), [], "a success starts the row anew");
  fail(rig, "web1", 1);
  assert.deepEqual(rig.events(), ["web1 ejected: 5 errors in a row; out for 30 s"]);
  assert.equal(rig.play({ requests: 30 })["web1"], undefined);
  rig.pass(29_000);
  assert.equal(state(rig, "web1"), "ejected");
  rig.pass(1000);
  assert.deepEqual(rig.events(), ["web1 returned: its ejection is over"]);
  assert.equal(rig.play({ requests: 30 })["web1"], 10);
});

test("what the client ended says nothing of the server", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  for (let i = 0; i < 20; i++) {
    rig.start("web1");
    rig.finish("web1", "cancelled", -1);
  }
  assert.deepEqual(rig.events(), []);
  assert.equal(rig.server("web1").latencyMs, -1);
});

test("each further ejection lasts longer, up to a limit, and is forgiven step by step", () => {
  const outlier = { ...OUTLIER, maxEjectionMs: 70_000 };
  const rig = new PoolRig(poolSettings([{}, {}], { outlier }));
  const ejections: string[] = [];
  for (let i = 0; i < 3; i++) {
    fail(rig, "web1");
    ejections.push(...rig.events().map((event) => event.replace(/.*out for /, "")));
    rig.pass(rig.server("web1").ejectedUntil - rig.now);
    rig.events();
  }
  assert.deepEqual(ejections, ["30 s", "60 s", "70 s"]);
  rig.pass(60_000);
  assert.equal(rig.server("web1").ejectionLevel, 0);
  assert.equal(rig.pool.deadline, Infinity, "a pool at rest wants to sleep");
});

test("a good check brings the first ejection back early, but not the second", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  fail(rig, "web1");
  rig.up("web1");
  assert.ok(rig.events().includes("web1 returned: active check: status 200"));
  fail(rig, "web1");
  rig.up("web1");
  assert.equal(state(rig, "web1"), "ejected");
});

test("a verdict from before an ejection that is told again does not end it", () => {
  const rig = new PoolRig(poolSettings([{}, {}]));
  rig.up("web1");
  fail(rig, "web1");
  rig.up("web1");
  assert.equal(state(rig, "web1"), "ejected");
  rig.up("web1", "status 204");
  assert.equal(state(rig, "web1"), "up");
});

test("only a part of the servers may be ejected, but always one", () => {
  const rig = new PoolRig(poolSettings(Array.from({ length: 25 }, () => ({}))));
  for (const name of ["web1", "web2", "web3"]) fail(rig, name);
  assert.deepEqual(
    rig.pool.servers.filter((server) => server.ejected).map(({ name }) => name),
    ["web1", "web2"],
  );
});

test("the last server that can serve is never ejected, and an ejected one is the last hope", () => {
  const rig = new PoolRig(poolSettings([{}]));
  fail(rig, "web1", 20);
  assert.equal(state(rig, "web1"), "unchecked");
  const two = new PoolRig(poolSettings([{}, {}]));
  fail(two, "web1");
  two.down("web2", "no answer");
  assert.deepEqual(two.events().at(-1), "web1 returned: no other server is usable");
  assert.equal(two.pick(), "web1");
});

test("a success rate far below the others' ejects without errors in a row", () => {
  const rig = new PoolRig(poolSettings(Array.from({ length: 6 }, () => ({}))));
  const outcome = (server: { name: string }, i: number) =>
    server.name === "web3" && Math.floor(i / 6) % 2 === 0 ? "error-status" : "ok";
  rig.play({ requests: 1200, outcome });
  rig.pass(10_000);
  const [event] = rig.events();
  assert.match(event!, /^web3 ejected: success rate \d+\.\d %, under \d+\.\d % \(mean .*out for/);
});

test("success rates of few requests or few servers are not judged", () => {
  const outcome = (server: { name: string }, i: number) =>
    server.name === "web3" && Math.floor(i / 12) % 2 === 0 ? "error-status" : "ok";
  const outlier = { ...OUTLIER, successRateFactor: 1000 };
  const ejections = (servers: number, requests: number) => {
    const rig = new PoolRig(
      poolSettings(
        Array.from({ length: servers }, () => ({})),
        { outlier },
      ),
    );
    rig.play({ requests, outcome });
    rig.pass(10_000);
    return rig.events().length;
  };
  assert.equal(ejections(6, 500), 0, "83 requests each");
  assert.equal(ejections(4, 1200), 0, "four servers");
  assert.equal(ejections(6, 1200), 1);
});

test("an outlier that is switched off ejects nobody", () => {
  const rig = new PoolRig(poolSettings([{}, {}], { outlier: { ...OUTLIER, enabled: false } }));
  fail(rig, "web1", 50);
  assert.deepEqual(rig.events(), []);
  assert.equal(rig.pool.deadline, Infinity);
});

test("too few healthy servers are a panic: then all that are ready serve, and it is told", () => {
  const rig = new PoolRig(poolSettings([{}, {}, {}, {}], { panicPercent: 50 }));
  rig.pool.setAdmin(rig.now, "web4", { state: "drain", reason: "upgrade" });
  rig.down("web1", "x");
  assert.equal(rig.pool.status(rig.now).panic, false);
  rig.down("web2", "x");
  assert.ok(rig.events().includes("pool panic-on: 1 of 3 servers are healthy, limit 50 %"));
  assert.deepEqual(rig.play({ requests: 9 }), { web1: 3, web2: 3, web3: 3 });
  const { why, reason } = rig.pool.pick(rig.now, request());
  assert.equal(why, "panic");
  assert.equal(reason, "panic: 1 of 4 servers are healthy, all are used");
  rig.up("web2");
  assert.ok(rig.events().includes("pool panic-off: 2 of 3 servers are healthy, limit 50 %"));
  assert.deepEqual(rig.play({ requests: 8 }), { web2: 4, web3: 4 });
});

test("a panic uses servers although every check fails, and none without a panic threshold", () => {
  const rig = new PoolRig(poolSettings([{}, {}], { panicPercent: 1 }));
  rig.down("web1");
  rig.down("web2");
  assert.deepEqual(rig.play({ requests: 4 }), { web1: 2, web2: 2 });
  const plain = new PoolRig(poolSettings([{}, {}]));
  plain.down("web1");
  plain.down("web2");
  assert.deepEqual(plain.play({ requests: 4 }), { nobody: 4 });
  assert.equal(plain.events().at(-1), "pool tier: no server can serve");
});

test("backups serve only when nobody before them can, and not because of a panic", () => {
  const servers = [{}, {}, { tier: 1 }, { tier: 2 }];
  const rig = new PoolRig(poolSettings(servers, { panicPercent: 50 }));
  rig.down("web1");
  assert.deepEqual(rig.play({ requests: 4 }), { web2: 4 });
  rig.down("web2");
  assert.equal(rig.events().at(-1), "pool tier: tier 1 serves with 1 of 1");
  assert.deepEqual(rig.play({ requests: 4 }), { web3: 4 });
  assert.equal(rig.pool.pick(rig.now, request()).why, "tier");
  assert.equal(rig.pool.status(rig.now).servers[0]?.usable, false);
  rig.up("web1");
  assert.deepEqual(rig.play({ requests: 4 }), { web1: 4 });
});

test("with less weight than its quorum a tier leaves the work to the next one that can", () => {
  const servers = [{ weight: 2 }, { weight: 2 }, { tier: 1 }];
  const rig = new PoolRig(poolSettings(servers, { quorum: { weight: 3, hysteresis: 1 } }));
  const picked = (): string | undefined => rig.pick();
  assert.notEqual(picked(), "web3");
  rig.down("web1");
  // 2 of 3 - 1: still enough, until nothing of it is left.
  assert.equal(picked(), "web2");
  rig.down("web2");
  assert.equal(picked(), "web3");
  assert.ok(rig.events().includes("pool quorum-lost: weight 0 of 3"));
  rig.up("web2");
  // 2 of 3 + 1 is not enough to come back.
  assert.equal(picked(), "web3");
  rig.up("web1");
  assert.notEqual(picked(), "web3");
  assert.ok(rig.events().includes("pool quorum-regained: weight 4 of 3"));
  rig.down("web1");
  rig.down("web2");
  rig.up("web1");
  rig.down("web3");
  // Nobody else can: better a few than none.
  assert.equal(picked(), "web1");
});

test("a full tier does not spill over, but a retry that has tried all of it goes on", () => {
  const servers = [{ maxConnections: 1 }, { tier: 1 }];
  const rig = new PoolRig(poolSettings(servers));
  rig.start("web1");
  assert.equal(rig.pool.pick(rig.now, request()).why, "queue");
  rig.finish("web1", "connect-failed", -1);
  const tried = [rig.server("web1")];
  assert.equal(rig.pick({ tried }), "web2");
  assert.equal(rig.pool.pick(rig.now, request({ tried: [...rig.pool.servers] })).why, "all-tried");
});

test("a server that comes back starts slowly: Envoy's ramp, in steps", () => {
  const slowStart = { windowMs: 30_000, aggression: 1, minimumPercent: 10 };
  const rig = new PoolRig(poolSettings([{}, {}], { slowStart }));
  assert.deepEqual(rig.play({ requests: 100 }), { web1: 50, web2: 50 }, "not at the start");
  rig.down("web1");
  rig.up("web1");
  assert.equal(rig.server("web1").weight, 0.1);
  assert.equal(rig.play({ requests: 110 })["web1"], 10);
  rig.pass(15_000);
  assert.ok(Math.abs(rig.server("web1").weight - 0.5) < 0.03, `${rig.server("web1").weight}`);
  rig.pass(15_000);
  assert.equal(rig.server("web1").weight, 1);
  assert.equal(rig.pool.deadline, Infinity);
});

test("slow start follows maintenance, drain and ejection, and a server added at run time", () => {
  const slowStart = { windowMs: 10_000, aggression: 2, minimumPercent: 5 };
  const rig = new PoolRig(poolSettings([{}, {}, {}], { slowStart }));
  for (const state of ["maint", "drain"] as const) {
    rig.pool.setAdmin(rig.now, "web1", { state, reason: "upgrade" });
    rig.pool.setAdmin(rig.now, "web1", { state: "ready", reason: "done" });
    assert.equal(rig.server("web1").weight, 0.05, state);
    rig.pass(2500);
    assert.ok(Math.abs(rig.server("web1").weight - 0.5) < 0.05, "square root of a quarter");
    rig.pass(7500);
  }
  fail(rig, "web2");
  rig.pass(30_000);
  assert.equal(rig.server("web2").weight, 0.05);
  const settings = poolSettings([{}, {}, {}, {}], { slowStart });
  rig.pool.update(rig.now, settings);
  assert.equal(rig.server("web4").weight, 0.05);
  assert.equal(rig.server("web1").weight, 1);
});

test("a server that starts slowly from nothing serves all the same when it is alone", () => {
  const slowStart = { windowMs: 30_000, aggression: 1, minimumPercent: 0 };
  const rig = new PoolRig(poolSettings([{}], { slowStart }));
  rig.down("web1");
  rig.up("web1");
  assert.deepEqual(rig.play({ requests: 3 }), { web1: 3 });
});
