import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GuestCount } from "./guest-count.ts";
import { LONE_SOURCES, type SharedCount, type SharedSources } from "./shared-state.ts";

const LIMITS = {
  headBytes: 0,
  headers: 0,
  bodyBytes: 0,
  connections: 5,
  connectionsPerSource: 2,
  requestsPerConnection: 0,
};

/** Workers that count in one place. */
function workers(count: number): GuestCount[] {
  const cells = Array.from({ length: count }, () => 0);
  const tables = cells.map(() => new Map<string, number>());
  const sum = (): number => cells.reduce((all, cell) => all + cell, 0);
  return cells.map((_, index) => {
    const guests = new GuestCount();
    const shared: SharedCount = {
      set(own) {
        cells[index] = own;
      },
      sum,
      recount: sum,
    };
    const elsewhere = (source: string): number =>
      tables.reduce((all, table, i) => all + (i === index ? 0 : (table.get(source) ?? 0)), 0);
    const sources: SharedSources = {
      set: (source, own) => void tables[index]!.set(source, own),
      elsewhere,
      recount: elsewhere,
    };
    guests.configure(LIMITS);
    guests.share(shared, sources);
    return guests;
  });
}

test("what others have counts against both limits, until they are gone", () => {
  const [here, there] = workers(2) as [GuestCount, GuestCount];
  for (const source of ["a", "a", "b", "c"]) {
    assert.equal(there.admit(source, LIMITS), undefined);
  }
  assert.match(here.admit("a", LIMITS) ?? "", /2 connections of a already/);
  assert.equal(here.admit("d", LIMITS), undefined);
  assert.match(here.admit("e", LIMITS) ?? "", /^5 connections already/);
  there.left("a");
  assert.equal(here.admit("a", LIMITS), undefined);
  assert.notEqual(here.admit("e", LIMITS), undefined);
  there.left("b");
  there.left("c");
  assert.equal(here.admit("e", LIMITS), undefined);
});

test("the dead are counted out when it matters", () => {
  const here = new GuestCount();
  let dead = 5;
  let own = 0;
  const shared = {
    set: (count: number) => void (own = count),
    sum: () => own + dead,
    recount: () => own + (dead = 0),
  };
  here.share(shared, LONE_SOURCES);
  for (let i = 0; i < 5; i++) assert.equal(here.admit(`${i}`, LIMITS), undefined);
  assert.match(here.admit("e", LIMITS) ?? "", /^5 connections already/);
  assert.equal(own, 5, "who was refused is not counted");
});

test("an address of a worker that died is free again when it matters", () => {
  const here = new GuestCount();
  let dead = 2;
  const sources = { set() {}, elsewhere: () => dead, recount: () => (dead = 0) };
  here.configure(LIMITS);
  here.share({ set() {}, sum: () => 0, recount: () => 0 }, sources);
  assert.equal(here.admit("a", LIMITS), undefined);
});

test("who came before the count was shared, or the address limited, is counted", () => {
  const here = new GuestCount();
  const told = new Map<string, number>();
  const sources = {
    ...LONE_SOURCES,
    set: (source: string, own: number) => void told.set(source, own),
  };
  let own = 0;
  const shared = {
    set: (count: number) => void (own = count),
    sum: () => own,
    recount: () => own,
  };
  const unlimited = { ...LIMITS, connectionsPerSource: 0 };
  here.configure(unlimited);
  here.admit("a", unlimited);
  here.share(shared, sources);
  assert.equal(own, 1);
  assert.equal(told.get("a"), 0, "nobody asks for it");
  here.configure(LIMITS);
  assert.equal(told.get("a"), 1);
  here.configure(unlimited);
  assert.equal(told.get("a"), 0);
  here.part();
  assert.equal(own, 0);
});

test("who is refused for all is not counted for the address", () => {
  const [here, there] = workers(2) as [GuestCount, GuestCount];
  for (const source of ["a", "b", "c", "d", "e"]) there.admit(source, LIMITS);
  for (let i = 0; i < 3; i++) assert.match(here.admit("f", LIMITS) ?? "", /^5 connections/);
  there.left("a");
  there.left("b");
  assert.equal(here.admit("f", LIMITS), undefined);
  assert.equal(there.admit("f", LIMITS), undefined);
});

test("workers together never hold more than one limit allows", () => {
  const step = fc.record({
    worker: fc.integer({ min: 0, max: 2 }),
    source: fc.constantFrom("a", "b", "c"),
    comes: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const all = workers(3);
      const inside: [number, string][] = [];
      for (const { worker, source, comes } of steps) {
        const count = all[worker]!;
        if (comes) {
          const own = inside.filter(([, one]) => one === source).length;
          const isFull = inside.length >= LIMITS.connections || own >= LIMITS.connectionsPerSource;
          assert.equal(count.admit(source, LIMITS) !== undefined, isFull);
          if (!isFull) inside.push([worker, source]);
        } else {
          const at = inside.findIndex(([w, s]) => w === worker && s === source);
          if (at < 0) continue;
          inside.splice(at, 1);
          count.left(source);
        }
      }
    }),
  );
});
