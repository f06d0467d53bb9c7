import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { judgeSurvival, type ServerFacts, type SurvivalFacts } from "./survival.ts";

function server(name: string, machine: string, rest: Partial<ServerFacts> = {}): ServerFacts {
  return { name, machine, isReady: true, capacity: 0, active: 0, ...rest };
}

const SAFE: SurvivalFacts = {
  service: "web",
  addresses: [{ name: "VI_1", holder: "a", rivals: [], standbys: ["b"] }],
  directors: ["a", "b"],
  pools: [{ name: "web", servers: [server("s1", "m1"), server("s2", "m2")] }],
};

function codes(facts: Partial<SurvivalFacts>): readonly string[] {
  const { survives, why } = judgeSurvival({ ...SAFE, ...facts });
  return [survives, ...why.map(({ code }) => code)];
}

test("two of everything on two machines survives", () => {
  assert.deepEqual(codes({}), ["yes", "survives"]);
});

test("an address without standby, without holder, with two holders does not", () => {
  const [address] = SAFE.addresses;
  const changed = (change: object): readonly string[] =>
    codes({ addresses: [{ ...address!, ...change }] });
  assert.deepEqual(changed({ standbys: [] }), ["no", "no-standby"]);
  assert.deepEqual(changed({ standbys: ["a"] }), ["no", "no-standby"]);
  assert.deepEqual(changed({ holder: undefined }), ["no", "no-holder"]);
  assert.deepEqual(changed({ rivals: ["b"] }), ["no", "split-brain"]);
  assert.deepEqual(changed({ standbys: undefined }), ["unknown", "standby-unknown"]);
});

test("a pool whose ready servers share a machine does not", () => {
  const pool = (...servers: readonly ServerFacts[]): readonly string[] =>
    codes({ pools: [{ name: "web", servers }] });
  assert.deepEqual(pool(server("s1", "m1"), server("s2", "m1")), ["no", "one-machine"]);
  const down = server("s2", "m2", { isReady: false });
  assert.deepEqual(pool(server("s1", "m1"), down), ["no", "last-server"]);
  assert.deepEqual(pool(down), ["no", "pool-empty"]);
  assert.deepEqual(pool(), ["no", "pool-empty"]);
});

test("what is left must be able to carry the load of now", () => {
  const busy = (active: number): ServerFacts => server("s", `m${active}`, { capacity: 10, active });
  assert.deepEqual(codes({ pools: [{ name: "web", servers: [busy(4), busy(6)] }] }).slice(0, 1), [
    "yes",
  ]);
  assert.deepEqual(codes({ pools: [{ name: "web", servers: [busy(5), busy(6)] }] }), [
    "no",
    "too-small",
  ]);
});

test("a balancer alone is one machine", () => {
  assert.deepEqual(codes({ addresses: [], directors: ["a"] }), ["no", "one-director"]);
  assert.deepEqual(codes({ addresses: [], directors: ["a", "a"] }), ["no", "one-director"]);
  assert.deepEqual(codes({ addresses: [], directors: [] }), ["no", "no-director"]);
  assert.deepEqual(codes({ addresses: [], directors: ["a", "b"] }), ["yes", "survives"]);
});

test("it says yes exactly when every machine can be thought away", () => {
  const machine = fc.constantFrom("a", "b", "c");
  const one = fc.record({ machine, isReady: fc.boolean() });
  const facts = fc.record({
    holder: machine,
    standbys: fc.array(machine, { maxLength: 2 }),
    servers: fc.array(one, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(facts, ({ holder, standbys, servers }) => {
      const { survives } = judgeSurvival({
        service: "web",
        addresses: [{ name: "VI_1", holder, rivals: [], standbys }],
        directors: ["a", "b"],
        pools: [{ name: "web", servers: servers.map((s, i) => server(`s${i}`, s.machine, s)) }],
      });
      const lives = ["a", "b", "c", "nobody"].every(
        (gone) =>
          [holder, ...standbys].some((m) => m !== gone) &&
          servers.some((s) => s.isReady && s.machine !== gone),
      );
      assert.equal(survives, lives ? "yes" : "no");
    }),
  );
});
