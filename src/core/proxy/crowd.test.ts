import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { Crowd, type CrowdMember } from "./crowd.ts";

function members(count: number): CrowdMember[] {
  return Array.from({ length: count }, () => ({ crowdPlace: -1 }));
}

test("a crowd holds those who came and did not leave, each once", () => {
  const change = fc.record({ who: fc.nat({ max: 9 }), comes: fc.boolean() });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const all = members(10);
      const crowd = new Crowd<CrowdMember>();
      const expected = new Set<CrowdMember>();
      for (const { who, comes } of changes) {
        const one = all[who]!;
        if (comes) {
          crowd.add(one);
          expected.add(one);
        } else {
          assert.equal(crowd.delete(one), expected.delete(one));
        }
        assert.equal(crowd.size, expected.size);
      }
      assert.equal([...crowd].length, expected.size);
      assert.deepEqual(new Set(crowd), expected);
    }),
  );
});

test("whoever stays is come by, whoever leaves meanwhile", () => {
  const departures = fc.array(fc.array(fc.nat({ max: 9 }), { maxLength: 4 }), { maxLength: 10 });
  fc.assert(
    fc.property(departures, (leaving) => {
      const all = members(10);
      const crowd = new Crowd<CrowdMember>();
      for (const one of all) crowd.add(one);
      const seen = new Set<CrowdMember>();
      let turn = 0;
      for (const one of crowd) {
        seen.add(one);
        for (const who of leaving[turn++] ?? []) crowd.delete(all[who]!);
      }
      for (const one of all) assert.ok(one.crowdPlace < 0 || seen.has(one));
    }),
  );
});

test("whoever has left is gone with the next collection of the young", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (what?: { type: "minor" }) => void;
  const oldBytes = (): number =>
    getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")!.space_used_size;
  const crowd = new Crowd<CrowdMember & { readonly weight: number[] }>();
  const guests: (CrowdMember & { readonly weight: number[] })[] = [];
  const comeAndGo = (): void => {
    for (let i = 0; i < 5000; i++) {
      const guest = { crowdPlace: -1, weight: Array.from({ length: 50 }, () => i) };
      guests.push(guest);
      crowd.add(guest);
      if (guests.length > 64) crowd.delete(guests.shift()!);
    }
  };
  comeAndGo();
  collect();
  const before = oldBytes();
  for (let round = 0; round < 10; round++) {
    comeAndGo();
    collect({ type: "minor" });
  }
  // All of them are 24 MB, which a Set would have kept.
  assert.ok(oldBytes() - before < 1_000_000, `${oldBytes() - before} bytes`);
  assert.equal(crowd.size, 64);
});
