import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { TrackReference } from "./settings.ts";
import { sumTracks, type TrackVerdict } from "./track-sum.ts";

const verdict = fc.record({
  ok: fc.boolean(),
  pending: fc.boolean(),
  value: fc.integer({ min: -1000, max: 1000 }),
  reason: fc.constantFrom("up", "down"),
});
const reference = fc.record({
  kind: fc.constantFrom<TrackReference["kind"]>("interface", "script", "process", "file"),
  weight: fc.oneof(fc.constant(0), fc.integer({ min: -253, max: 253 })),
  reverse: fc.boolean(),
});
const watched = fc.array(fc.tuple(reference, verdict), { maxLength: 6 });

/** References named by their position, and what is known of each. */
function sum(
  base: number,
  pairs: readonly (readonly [Omit<TrackReference, "name">, TrackVerdict])[],
): ReturnType<typeof sumTracks> {
  const references = pairs.map(([r], i) => ({ ...r, name: String(i) }));
  return sumTracks(base, references, (r) => pairs[Number(r.name)]![1]);
}

test("the effective priority is 1-254 whatever is tracked, an owner's is 255", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 255 }), watched, (base, pairs) => {
      const { effectivePriority } = sum(base, pairs);
      if (base === 255) assert.equal(effectivePriority, 255);
      else assert.ok(effectivePriority >= 1 && effectivePriority <= 254);
    }),
  );
});

test("the sum is the base and the effects shown, clamped; their order means nothing", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 254 }), watched, (base, pairs) => {
      const whole = sum(base, pairs);
      let expected = base;
      for (const { effect } of whole.tracks) if (effect !== "FAULT") expected += effect;
      assert.equal(whole.effectivePriority, Math.min(254, Math.max(1, expected)));
      const turned = sum(base, pairs.toReversed());
      assert.equal(turned.effectivePriority, whole.effectivePriority);
      assert.deepEqual(turned.faults.toSorted(), whole.faults.toSorted());
      assert.equal(turned.onlyPending, whole.onlyPending);
    }),
  );
});

test("a fault is a fault of what has weight 0, or of a file far below zero or not read", () => {
  fc.assert(
    fc.property(watched, (pairs) => {
      const { tracks, faults, ownFaults } = sum(100, pairs);
      for (const [i, { effect, kind, weight }] of tracks.entries()) {
        if (effect !== "FAULT") continue;
        const { value, pending } = pairs[i]![1];
        const isFar = pending || Math.abs(value * weight) >= 254;
        assert.ok(weight === 0 || (kind === "file" && isFar));
      }
      assert.equal(faults.length, tracks.filter((t) => t.effect === "FAULT").length);
      assert.equal(ownFaults, faults.length);
    }),
  );
});

test("every combination of weight, reverse, verdict and pending of one script", () => {
  const rows: string[] = [];
  for (const weight of [0, 10, -10]) {
    for (const reverse of [false, true]) {
      for (const [ok, pending] of [
        [true, false],
        [false, false],
        [false, true],
      ] as const) {
        const known = { ok, pending, value: 0, reason: "" };
        const { tracks } = sum(100, [[{ kind: "script", weight, reverse }, known]]);
        rows.push(String(tracks[0]?.effect));
      }
    }
  }
  assert.equal(
    rows.join(" "),
    "0 FAULT FAULT FAULT 0 FAULT 10 0 0 -10 0 0 0 -10 0 0 10 0",
    "ok, failed, pending; then reversed; for weights 0, 10 and -10, as keepalived 2.2.7 adds them",
  );
});
