import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { intersect, lengthOf, type Span, subtract, union } from "./intervals.ts";

const END = 60;
const spans = fc.array(
  fc
    .tuple(fc.nat(END), fc.nat(END))
    .map(([a, b]): Span => ({ fromMs: Math.min(a, b), toMs: Math.max(a, b) })),
  { maxLength: 8 },
);

/** The second implementation: one flag for each moment. */
function flags(list: readonly Span[]): boolean[] {
  return Array.from({ length: END }, (_, at) =>
    list.some(({ fromMs, toMs }) => fromMs <= at && at < toMs),
  );
}

test("union, intersection and difference of spans are those of their moments", () => {
  fc.assert(
    fc.property(spans, spans, (one, other) => {
      const [a, b] = [union(one), union(other)];
      const [inA, inB] = [flags(one), flags(other)];
      assert.deepEqual(flags(a), inA);
      assert.deepEqual(
        flags(intersect(a, b)),
        inA.map((is, i) => is && inB[i]!),
      );
      assert.deepEqual(
        flags(subtract(a, b)),
        inA.map((is, i) => is && !inB[i]!),
      );
      assert.equal(lengthOf(a), inA.filter(Boolean).length);
    }),
  );
});

test("what was cut in two adds up to what it was", () => {
  fc.assert(
    fc.property(spans, spans, (one, other) => {
      const [a, b] = [union(one), union(other)];
      assert.equal(lengthOf(a), lengthOf(intersect(a, b)) + lengthOf(subtract(a, b)));
    }),
  );
});
