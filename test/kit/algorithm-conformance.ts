/** What every balancing algorithm owes, whatever it is: one suite that each of them passes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { mixed } from "../../src/core/balance/hash.ts";
import type { PoolSettings } from "../../src/core/balance/pool-settings.ts";
import { PoolRig, poolSettings, request, type ServerDraft } from "./pool-rig.ts";

/** `make`: a pool with the algorithm under test; further settings are the suite's. */
export type MakeRig = (servers: readonly ServerDraft[], draft: RigDraft) => PoolRig;
export interface RigDraft {
  readonly seed?: number;
}

/** Why a part of the suite says nothing about an algorithm. */
export interface Skips {
  readonly fairness?: string;
  readonly keys?: string;
  readonly seeds?: string;
}

export function algorithmConformance(name: string, make: MakeRig, skips: Skips): void {
  // What has no meaning for an algorithm is no test of it; `skips` says why.
  const says = (what: string, run: () => void, without?: string): void => {
    if (without === undefined) test(`${name}: ${what}`, run);
  };
  says("shares follow the weights", () => sharesFollowWeights(make), skips.fairness);
  says("a weight set at run time takes effect", () => weightTakesEffect(make), skips.fairness);
  says("equal servers all get their part", () => nobodyStarves(make), skips.fairness);
  says("who must not be picked never is", () => neverPicksOthers(make));
  says("somebody with a place is always found", () => alwaysFinds(make));
  says("one server gets everything", () => oneServer(make));
  says("no server serves nothing, and says so", () => noServer(make));
  says("the same seed picks the same servers", () => sameSeed(make));
  says("another seed picks other servers", () => otherSeed(make), skips.seeds);
  says("a server that is back serves again", () => comesBack(make));
  says("a down server moves its own keys only", () => onlyItsKeys(make), skips.keys);
  says("removing one of ten moves a tenth of the keys", () => removal(make), skips.keys);
  says("the order of the configuration moves no key", () => orderIsNothing(make), skips.keys);
}

/** Enough at the same time for algorithms that compare running requests. */
const STREAM = { requests: 12_000, inFlight: 60 };

function assertShare(counts: Record<string, number>, name: string, share: number): void {
  const got = (counts[name] ?? 0) / STREAM.requests;
  const off = Math.abs(got - share) / share;
  assert.ok(
    off < 0.1,
    `${name} got ${(got * 100).toFixed(2)} %, not ${(share * 100).toFixed(2)} %`,
  );
}

function sharesFollowWeights(make: MakeRig): void {
  const counts = make([{ weight: 1 }, { weight: 2 }, { weight: 3 }], {}).play(STREAM);
  assertShare(counts, "web1", 1 / 6);
  assertShare(counts, "web2", 2 / 6);
  assertShare(counts, "web3", 3 / 6);
}

function weightTakesEffect(make: MakeRig): void {
  const rig = make([{}, {}, {}], {});
  rig.play(STREAM);
  rig.pool.setWeight(rig.now, "web1", 4);
  const counts = rig.play(STREAM);
  assertShare(counts, "web1", 4 / 6);
  rig.pool.setWeight(rig.now, "web1", 0);
  assert.equal(rig.play(STREAM)["web1"], undefined);
  rig.pool.setWeight(rig.now, "web1", undefined);
  rig.play(STREAM);
  assertShare(rig.play(STREAM), "web1", 1 / 3);
}

function nobodyStarves(make: MakeRig): void {
  const rig = make(
    Array.from({ length: 40 }, () => ({})),
    {},
  );
  const counts = rig.play({ requests: 20_000, inFlight: 200 });
  const values = rig.pool.servers.map((server) => counts[server.name] ?? 0);
  assert.ok(Math.min(...values) > 500 * 0.75, `the poorest got ${Math.min(...values)} of 500`);
  assert.ok(Math.max(...values) < 500 * 1.3, `the richest got ${Math.max(...values)} of 500`);
}

/** Something that keeps a server from being picked, or does not. */
const CONDITIONS = ["fine", "down", "drain", "maint", "full", "weight 0", "ejected"] as const;
type Condition = (typeof CONDITIONS)[number];

function inCondition(make: MakeRig, conditions: readonly Condition[]): PoolRig {
  const limits = conditions.map((condition) => (condition === "full" ? { maxConnections: 2 } : {}));
  const rig = make(limits, {});
  conditions.forEach((condition, i) => {
    const name = `web${i + 1}`;
    if (condition === "down") rig.down(name);
    if (condition === "weight 0") rig.pool.setWeight(rig.now, name, 0);
    if (condition === "drain" || condition === "maint") {
      rig.pool.setAdmin(rig.now, name, { state: condition, reason: "test" });
    }
    if (condition === "full") for (let k = 0; k < 2; k++) rig.start(name);
    if (condition === "ejected") {
      for (let k = 0; k < 5; k++) {
        rig.start(name);
        rig.finish(name, "reset", -1);
      }
    }
  });
  return rig;
}

const drawnConditions = fc.array(fc.constantFrom(...CONDITIONS), { minLength: 1, maxLength: 12 });

function neverPicksOthers(make: MakeRig): void {
  const property = fc.property(drawnConditions, fc.integer(), (conditions, hash) => {
    const rig = inCondition(make, conditions);
    const tried = rig.pool.servers.slice(0, 1);
    for (let i = 0; i < 20; i++) {
      const { server } = rig.pool.pick(rig.now, request({ hash: mixed(hash + i), tried }));
      if (server === undefined) continue;
      assert.ok(!tried.includes(server), "tried before");
      assert.ok(!server.full, "full");
      assert.ok(server.settings.name === server.name && server.healthy, server.state);
      const condition = conditions[server.id]!;
      // The last one that can serve is not ejected.
      assert.ok(condition === "fine" || (condition === "ejected" && !server.ejected), condition);
      rig.pool.started(rig.now, server);
    }
  });
  fc.assert(property, { numRuns: 60 });
}

function alwaysFinds(make: MakeRig): void {
  const property = fc.property(drawnConditions, fc.integer(), (conditions, hash) => {
    const rig = inCondition(make, conditions);
    const { server, why, reason } = rig.pool.pick(rig.now, request({ hash: hash >>> 0 }));
    const some = rig.pool.servers.some((s) => s.healthy && !s.full);
    const full = rig.pool.servers.some((s) => s.healthy);
    assert.equal(server !== undefined, some);
    assert.equal(why, some ? "algorithm" : full ? "queue" : "none-usable");
    assert.ok(reason.length > 0);
  });
  fc.assert(property, { numRuns: 60 });
}

function oneServer(make: MakeRig): void {
  assert.deepEqual(make([{}], {}).play({ requests: 100, inFlight: 7 }), { web1: 100 });
  assert.deepEqual(make([{ weight: 256 }], {}).play({ requests: 10 }), { web1: 10 });
}

function noServer(make: MakeRig): void {
  const { why, reason } = make([], {}).pool.pick(0, request());
  assert.equal(why, "none-usable");
  assert.equal(reason, "no server is usable: there is none");
}

const MIXED: readonly ServerDraft[] = [{ weight: 1 }, { weight: 2 }, { weight: 5 }, {}, {}];

function sequence(make: MakeRig, seed: number): string {
  const rig = make(MIXED, { seed });
  const names: string[] = [];
  for (let i = 0; i < 200; i++) {
    const name = rig.pick({ hash: mixed(i) })!;
    rig.start(name);
    names.push(name);
    if (i % 3 !== 0) rig.finish(name);
  }
  return names.join(" ");
}

function sameSeed(make: MakeRig): void {
  assert.equal(sequence(make, 7), sequence(make, 7));
}

function otherSeed(make: MakeRig): void {
  assert.notEqual(sequence(make, 7), sequence(make, 8));
}

function comesBack(make: MakeRig): void {
  const rig = make([{}, {}, {}], {});
  rig.down("web1");
  assert.equal(rig.play({ requests: 300, inFlight: 6 })["web1"], undefined);
  rig.up("web1");
  assert.ok(rig.play({ requests: 300, inFlight: 6 })["web1"]! > 60);
}

const KEYS = 20_000;

function placement(rig: PoolRig): string[] {
  return Array.from({ length: KEYS }, (_, i) => rig.pick({ hash: mixed(i * 7919 + 1) })!);
}

function moved(before: readonly string[], after: readonly string[]): number {
  return before.filter((name, i) => name !== after[i]).length;
}

const TEN = Array.from({ length: 10 }, () => ({}));

function onlyItsKeys(make: MakeRig): void {
  const rig = make(TEN, {});
  const before = placement(rig);
  rig.down("web4");
  const during = placement(rig);
  const its = before.filter((name) => name === "web4").length;
  assert.equal(moved(before, during), its);
  const heirs = new Set(during.filter((_, i) => before[i] === "web4"));
  assert.equal(heirs.size, 9, "its keys are spread over all others");
  rig.up("web4");
  assert.equal(moved(before, placement(rig)), 0);
}

function removal(make: MakeRig): void {
  const rig = make(TEN, {});
  const before = placement(rig);
  const { settings } = rig.pool;
  const nine = settings.servers.filter(({ name }) => name !== "web4");
  rig.pool.update(rig.now, { ...settings, servers: nine } satisfies PoolSettings);
  const part = moved(before, placement(rig)) / KEYS;
  assert.ok(part > 0.08 && part < 0.13, `${(part * 100).toFixed(1)} % of the keys moved`);
}

function orderIsNothing(make: MakeRig): void {
  const rig = make(TEN, {});
  const before = placement(rig);
  const { settings } = rig.pool;
  const reversed = poolSettings([], { ...settings });
  const other = new PoolRig({ ...reversed, servers: [...settings.servers].reverse() }, 99);
  assert.equal(moved(before, placement(other)), 0);
}
