import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { GuestCount } from "./guest-count.ts";

const LIMITS = {
  headBytes: 0,
  headers: 0,
  bodyBytes: 0,
  connections: 5,
  connectionsPerSource: 2,
  requestsPerConnection: 0,
};

function tell(from: GuestCount, serial: number, to: GuestCount): void {
  const news = from.takeUntold(1000);
  if (news !== undefined) to.heard(serial, news);
}

test("what others have counts against both limits, until they or their worker are gone", () => {
  const [here, there] = [new GuestCount(), new GuestCount()];
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
  here.forget(2);
  assert.equal(here.admit("e", LIMITS), undefined);
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
      const workers = [new GuestCount(), new GuestCount(), new GuestCount()];
      const inside: [number, string][] = [];
      for (const { worker, source, comes } of steps) {
        const count = workers[worker]!;
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
        for (const other of workers)
          if (news !== undefined && other !== count) other.heard(worker, news);
      }
    }),
  );
});
