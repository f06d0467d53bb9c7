import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DeadlineRow } from "./deadline-row.ts";

test("the earliest of a row is its smallest deadline, and Infinity where there is none", () => {
  const row = new DeadlineRow();
  assert.equal(row.earliest, Infinity);
  row.resize(3);
  assert.equal(row.earliest, Infinity);
  row.note(0, 30);
  row.note(2, 10);
  assert.equal(row.earliest, 10);
  row.note(2, 40);
  assert.equal(row.earliest, 30);
  assert.deepEqual([row.at(0), row.at(1), row.at(2)], [30, Infinity, 40]);
});

test("a row of the same length keeps what was noted, another length forgets it", () => {
  const row = new DeadlineRow();
  row.resize(2);
  row.note(1, 5);
  row.resize(2);
  assert.equal(row.earliest, 5);
  row.resize(1);
  assert.equal(row.earliest, Infinity);
});

test("whatever is noted in whatever order, the earliest is the smallest of all", () => {
  const deadline = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(Infinity));
  const notes = fc.array(fc.record({ place: fc.nat(3), atMs: deadline, look: fc.boolean() }));
  fc.assert(
    fc.property(notes, (all) => {
      const row = new DeadlineRow();
      row.resize(4);
      for (const { place, atMs, look } of all) {
        row.note(place, atMs);
        // Not asked every time: several may be put off in between.
        if (look) assert.equal(row.earliest, Math.min(...[0, 1, 2, 3].map((i) => row.at(i))));
      }
    }),
  );
});
