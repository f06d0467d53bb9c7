import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { RiseFall } from "./rise-fall.ts";

const verdicts = (fuse: RiseFall, results: string): (boolean | undefined)[] =>
  results.split("").map((result) => {
    fuse.observe(result === "+");
    return fuse.verdict;
  });

test("the first result decides at once, in both directions", () => {
  assert.deepEqual(verdicts(new RiseFall({ rise: 3, fall: 3, startFailed: false }), "+"), [true]);
  assert.deepEqual(verdicts(new RiseFall({ rise: 3, fall: 3, startFailed: false }), "-"), [false]);
});

test("init_fail starts as failed and asks for rise successes in a row", () => {
  const fuse = new RiseFall({ rise: 2, fall: 1, startFailed: true });
  assert.equal(fuse.verdict, false);
  assert.deepEqual(verdicts(fuse, "+-++"), [false, false, false, true]);
});

test("fall failures in a row are needed, and a success in between starts the count anew", () => {
  const fuse = new RiseFall({ rise: 1, fall: 3, startFailed: false });
  assert.deepEqual(verdicts(fuse, "+--+---"), [true, true, true, true, true, true, false]);
  assert.equal(fuse.progress(), "3 of 3");
});

test("a first failure may be told to wait for company", () => {
  const settings = { rise: 2, fall: 3, startFailed: false, firstFailureDecides: false };
  assert.deepEqual(verdicts(new RiseFall(settings), "---"), [undefined, undefined, false]);
  assert.deepEqual(verdicts(new RiseFall(settings), "-+"), [undefined, true]);
});

test("the verdict changes only after as many equal results as were asked for", () => {
  const counts = fc.integer({ min: 1, max: 5 });
  const property = fc.property(
    counts,
    counts,
    fc.boolean(),
    fc.array(fc.boolean(), { maxLength: 60 }),
    (rise, fall, startFailed, results) => {
      const fuse = new RiseFall({ rise, fall, startFailed });
      for (let i = 0; i < results.length; i++) {
        const before = fuse.verdict;
        const changed = fuse.observe(results[i]!);
        assert.equal(changed, fuse.verdict !== before);
        if (!changed) continue;
        const need = before === undefined ? 1 : fuse.verdict === true ? rise : fall;
        const latest = results.slice(i + 1 - need, i + 1);
        assert.equal(latest.length, need);
        assert.ok(latest.every((result) => result === fuse.verdict));
      }
    },
  );
  fc.assert(property);
});
