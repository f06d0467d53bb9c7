/** Pools of several workers over the memory that they share: an ejection is one for all. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { get, ProxyRig } from "../../test/kit/proxy-rig.ts";
import { PoolRig, poolSettings } from "../../test/kit/pool-rig.ts";
import { closeFd, isOsFailure } from "./ffi.ts";
import { createWorkerMemory, WorkerMemory } from "./worker-memory.ts";

const OUTLIER = poolSettings([]).outlier;
const FOUR = poolSettings([{}, {}, {}, {}], {
  outlier: { ...OUTLIER, consecutiveErrors: 4, maxEjectedPercent: 25, baseEjectionMs: 10_000 },
});

interface Workers {
  readonly rigs: PoolRig[];
  readonly memories: WorkerMemory[];
  /** Another one, that comes late. */
  readonly join: () => PoolRig;
  readonly close: () => void;
}

function workers(count: number, settings = FOUR): Workers {
  const fd = createWorkerMemory();
  assert.ok(typeof fd === "number");
  const memories: WorkerMemory[] = [];
  const join = (): PoolRig => {
    const memory = WorkerMemory.join(fd);
    assert.ok(!isOsFailure(memory));
    memories.push(memory);
    const rig = new PoolRig(settings);
    rig.pool.share(rig.now, memory.ejections);
    return rig;
  };
  const close = (): void => {
    for (const memory of memories) memory.leave();
    closeFd(fd);
  };
  return { rigs: Array.from({ length: count }, join), memories, join, close };
}

function fail(rig: PoolRig, name: string, times: number): void {
  for (let i = 0; i < times; i++) {
    rig.start(name);
    rig.finish(name, "reset", -1);
  }
}

function outAt(rig: PoolRig): string[] {
  rig.pool.follow(rig.now);
  return rig.pool.servers.filter(({ ejected }) => ejected).map(({ name }) => name);
}

test("errors in a row count over all workers, and who is out is out for all, told by one", () => {
  const { rigs, memories, join, close } = workers(2);
  const [one, other] = rigs as [PoolRig, PoolRig];
  fail(one, "web1", 3);
  assert.deepEqual(outAt(one), []);
  const before = memories[0]!.ejections.version;
  fail(other, "web1", 1);
  assert.notEqual(memories[0]!.ejections.version, before, "others have a reason to look");
  assert.deepEqual([outAt(one), outAt(other)], [["web1"], ["web1"]]);
  assert.deepEqual(one.events(), []);
  assert.deepEqual(other.events(), ["web1 ejected: 4 errors in a row; out for 10 s"]);
  const shown = [one, other].map((rig) => rig.pool.status(rig.now).servers[0]!);
  for (const { state, reason } of shown) {
    assert.deepEqual([state, reason], ["ejected", "4 errors in a row"]);
  }
  assert.deepEqual(
    shown.map(({ ejections }) => ejections),
    [0, 1],
    "it is counted once",
  );
  assert.equal(one.play({ requests: 30 })["web1"], undefined);

  // Whoever decided it has died, and another one comes: it is out there, too.
  memories.pop()!.leave();
  const late = join();
  assert.deepEqual(outAt(late), ["web1"]);
  late.up("web1");
  assert.deepEqual(outAt(late), ["web1"], "that it answers checks was known before");
  one.pass(10_000);
  late.pass(10_000);
  assert.deepEqual([outAt(one), outAt(late)], [[], []]);
  const returned = [...one.events(), ...late.events()].filter((text) => text.includes("returned"));
  assert.deepEqual(returned, ["web1 returned: its ejection is over"]);
  close();
});

test("an answer that another worker gets ends the row of errors", () => {
  const { rigs, close } = workers(2);
  const [one, other] = rigs as [PoolRig, PoolRig];
  fail(one, "web1", 3);
  other.start("web1");
  other.finish("web1");
  fail(one, "web1", 3);
  assert.deepEqual(outAt(one), []);
  close();
});

test("no more are out than the pool allows, whoever decides, and the second lasts longer", () => {
  const { rigs, close } = workers(2);
  const [one, other] = rigs as [PoolRig, PoolRig];
  fail(one, "web1", 4);
  // It has not looked yet.
  fail(other, "web2", 4);
  assert.deepEqual(outAt(other), ["web1"]);
  assert.deepEqual(outAt(one), ["web1"]);
  for (const rig of rigs) rig.pass(10_000);
  assert.deepEqual(outAt(one), []);
  fail(other, "web1", 4);
  assert.match(other.events().at(-1)!, /web1 ejected: 4 errors in a row; out for 20 s/);
  assert.deepEqual(outAt(one), ["web1"]);
  close();
});

test("who is returned by one worker is back at all, and not told twice", () => {
  const { rigs, close } = workers(2);
  const [one, other] = rigs as [PoolRig, PoolRig];
  fail(one, "web1", 4);
  outAt(other);
  for (const name of ["web2", "web3", "web4"]) one.down(name);
  assert.deepEqual(outAt(one), [], "nobody else could serve");
  assert.deepEqual(outAt(other), []);
  assert.match(one.events().join("; "), /web1 returned: no other server is usable/);
  assert.deepEqual(other.events(), []);
  close();
});

test("a server that leaves the configuration and comes back is not out", () => {
  const { rigs, close } = workers(2);
  const [one, other] = rigs as [PoolRig, PoolRig];
  fail(one, "web1", 4);
  outAt(other);
  const without = { ...FOUR, servers: FOUR.servers.slice(1) };
  for (const rig of rigs) rig.pool.update(rig.now, without);
  for (const rig of rigs) rig.pool.update(rig.now, FOUR);
  assert.deepEqual([outAt(one), outAt(other)], [[], []]);
  close();
});

test("errors of a server that has left or moved do not count for the one that follows it", () => {
  const without = { ...FOUR, servers: FOUR.servers.slice(1) };
  const endpoint = { kind: "ip", address: "198.51.100.7", port: 80 } as const;
  const moved = { ...FOUR, servers: [{ ...FOUR.servers[0]!, endpoint }, ...without.servers] };
  for (const between of [without, moved]) {
    const { rigs, close } = workers(1);
    const [rig] = rigs as [PoolRig];
    fail(rig, "web1", 3);
    rig.pool.update(rig.now, between);
    rig.pool.update(rig.now, FOUR);
    fail(rig, "web1", 3);
    assert.deepEqual(outAt(rig), []);
    fail(rig, "web1", 1);
    assert.deepEqual(outAt(rig), ["web1"]);
    close();
  }
});

test("nor do those of its last requests, which end when it has left", () => {
  const { rigs, close } = workers(1);
  const [rig] = rigs as [PoolRig];
  for (let i = 0; i < 3; i++) rig.start("web1");
  rig.pool.update(rig.now, { ...FOUR, servers: FOUR.servers.slice(1) });
  for (let i = 0; i < 3; i++) rig.finish("web1", "timeout", -1);
  rig.pool.update(rig.now, FOUR);
  fail(rig, "web1", 1);
  assert.deepEqual(outAt(rig), []);
  close();
});

test("a claim of somebody who died is over after a second", () => {
  const { rigs, memories, close } = workers(1);
  const cell = memories[0]!.ejections.of("web", "web1")!;
  const [rig] = rigs as [PoolRig];
  assert.ok(cell.claim(rig.now));
  fail(rig, "web1", 4);
  assert.deepEqual(outAt(rig), []);
  rig.pass(1_100);
  fail(rig, "web1", 1);
  assert.deepEqual(outAt(rig), ["web1"]);
  close();
});

test("a pool that was taken away and comes back begins anew", () => {
  const fd = createWorkerMemory();
  assert.ok(typeof fd === "number");
  const memory = WorkerMemory.join(fd);
  assert.ok(!isOsFailure(memory));
  const pools = { web: { servers: [{}, {}], outlier: { ...OUTLIER, consecutiveErrors: 4 } } };
  const rig = new ProxyRig({ pools });
  rig.engine.share(rig.now, memory);
  const fail = (times: number): void => {
    for (let i = 0; i < times; i++) {
      rig.client().write(get());
      rig.asked("web1").breakOff("ECONNREFUSED");
      rig.asked("web2");
    }
  };
  for (const errors of [3, 4]) {
    fail(errors);
    rig.configure({ pools: { other: {} } });
    rig.configure({ pools });
    rig.events();
  }
  fail(3);
  assert.deepEqual(rig.events(), [], "neither its ejection nor its errors in a row are left");
  fail(1);
  assert.deepEqual(rig.events(), ["web/web1 ejected"]);
  memory.leave();
  closeFd(fd);
});

const SIX = poolSettings(
  Array.from({ length: 6 }, () => ({})),
  { outlier: { ...OUTLIER, baseEjectionMs: 2_000 } },
);

/** Turn by turn, so that no row of errors is long enough. */
const outcome = (server: { name: string }, i: number) =>
  server.name === "web3" && Math.floor(i / 6) % 2 === 0 ? "error-status" : "ok";

test("nobody is ejected twice for the same errors, by workers whose intervals begin apart", () => {
  const { rigs, close } = workers(2, SIX);
  const [one, other] = rigs as [PoolRig, PoolRig];
  const passTo = (now: number): void => {
    for (const rig of rigs) rig.pass(now - rig.now);
  };
  one.play({ requests: 6 });
  passTo(6_000);
  other.play({ requests: 6 });
  one.play({ requests: 864, outcome });
  passTo(12_000);
  assert.deepEqual([outAt(one), outAt(other)], [["web3"], ["web3"]]);
  passTo(14_000);
  assert.deepEqual([outAt(one), outAt(other)], [[], []]);
  passTo(20_000);
  assert.deepEqual([outAt(one), outAt(other)], [[], []]);
  const told = rigs.flatMap((rig) => rig.events());
  assert.equal(told.filter((text) => text.includes("ejected:")).length, 1);
  close();
});

test("where no room is left to share it, a success rate is counted by each worker for itself", () => {
  const rig = new PoolRig(SIX);
  rig.pool.share(rig.now, { version: 0, of: () => undefined });
  rig.play({ requests: 864, outcome });
  // Somebody else was ejected.
  rig.pool.follow(rig.now);
  rig.pass(10_000);
  assert.match(rig.events().join("; "), /^web3 ejected: success rate/);
});

test("a success rate is that of all workers, however few requests each of them sees", () => {
  const { rigs, close } = workers(4, { ...SIX, outlier: OUTLIER });
  const [first, ...rest] = rigs as [PoolRig, ...PoolRig[]];
  const play = (): void => {
    for (const rig of rigs) {
      rig.pool.follow(rig.now);
      // 36 requests of each server a worker.
      rig.play({ requests: 216, outcome });
    }
  };
  play();
  for (const rig of rigs) rig.pass(10_000);
  const told = rigs.flatMap((rig) => rig.events());
  assert.equal(told.length, 1, "one of them tells");
  assert.match(told[0]!, /^web3 ejected: success rate \d+\.\d %, under/);
  for (const rig of rest) assert.deepEqual(outAt(rig), ["web3"]);
  assert.deepEqual(outAt(first), ["web3"]);
  close();
});
