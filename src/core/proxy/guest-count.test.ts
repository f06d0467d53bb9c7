import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GuestCount, type SharedCount } from "./guest-count.ts";

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
    guests.share(shared);
    return guests;
  });
}

function tell(from: GuestCount, serial: number, to: GuestCount): void {
  const news = from.takeUntold(1000);
  if (news !== undefined) to.heard(serial, news);
}

test("what others have counts against both limits, until they or their worker are gone", () => {
  const [here, there] = workers(2) as [GuestCount, GuestCount];
  for (const source of ["a", "a", "b", "c"]) {
    assert.equal(there.admit(source, LIMITS), undefined);
  }
  tell(there, 2, here);
  assert.match(here.admit("a", LIMITS) ?? "", /2 connections of a already/);
  assert.equal(here.admit("d", LIMITS), undefined);
  assert.match(here.admit("e", LIMITS) ?? "", /^5 connections already/);
  there.left("a", LIMITS);
  tell(there, 2, here);
  assert.equal(here.admit("a", LIMITS), undefined);
  assert.notEqual(here.admit("e", LIMITS), undefined);
  there.left("b", LIMITS);
  there.left("c", LIMITS);
  here.forget(2);
  assert.equal(here.admit("e", LIMITS), undefined);
});

test("the dead are counted out when it matters", () => {
  const here = new GuestCount();
  let dead = 5;
  let own = 0;
  here.share({
    set: (count) => void (own = count),
    sum: () => own + dead,
    recount: () => own + (dead = 0),
  });
  for (let i = 0; i < 5; i++) assert.equal(here.admit(`${i}`, LIMITS), undefined);
  assert.match(here.admit("e", LIMITS) ?? "", /^5 connections already/);
  assert.equal(own, 5, "who was refused is not counted");
});

test("who came before the count was shared is counted", () => {
  const here = new GuestCount();
  here.admit("a", LIMITS);
  let own = 0;
  here.share({ set: (count) => void (own = count), sum: () => own, recount: () => own });
  assert.equal(own, 1);
});

test("who joins late learns all when all is told again", () => {
  const old = new GuestCount();
  old.admit("a", LIMITS);
  old.admit("a", LIMITS);
  assert.notEqual(old.takeUntold(1000), undefined);
  assert.equal(old.takeUntold(1000), undefined);
  old.tellAll(LIMITS);
  const fresh = new GuestCount();
  tell(old, 1, fresh);
  assert.notEqual(fresh.admit("a", LIMITS), undefined);
});

test("workers that tell each other at once never hold more than one limit allows", () => {
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
          count.left(source, LIMITS);
        }
        const news = count.takeUntold(1000);
        for (const other of all)
          if (news !== undefined && other !== count) other.heard(worker, news);
      }
    }),
  );
});
