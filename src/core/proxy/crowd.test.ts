import assert from "node:assert/strict";
import { test } from "node:test";
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
