/** The small parts of the machine over all of a small space, or over many random ones. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { announceDefaults, instance } from "../../../test/kit/vrrp-settings.ts";
import { AddressGuard } from "./address-guard.ts";
import { AnnouncePlan } from "./announce-plan.ts";
import { Facts } from "./facts.ts";
import { Lateness } from "./lateness.ts";
import { PeerTable } from "./peer-table.ts";
import { needsRestart, sameValue } from "./reload.ts";
import { Starvation } from "./starvation.ts";
import type { TrackVerdict } from "./track-sum.ts";

// ---- announce plan ----

const moments = fc.array(
  fc.tuple(fc.constantFrom("contended", "claimed", "due"), fc.integer({ min: 0, max: 20_000 })),
  { maxLength: 60 },
);
const announceSettings = fc.record({
  delayMs: fc.constantFrom(0, 5000),
  repeat: fc.constantFrom(1, 5),
  refreshMs: fc.constantFrom(0, 60_000),
  refreshRepeat: fc.constantFrom(1, 2),
  lowerPriorityDelayMs: fc.constantFrom(0, 5000),
  lowerPriorityRepeat: fc.constantFrom(0, 5),
  arpSpacingMs: fc.constant(0),
  naSpacingMs: fc.constant(0),
  afterSplitMs: fc.constantFrom(0, 30_000),
});

test("an announce plan never wants to be woken in the past, and has an end once stopped", () => {
  fc.assert(
    fc.property(announceSettings, moments, (settings, events) => {
      const plan = new AnnouncePlan(settings);
      assert.equal(plan.deadline, Infinity);
      let now = 0;
      plan.start(now);
      for (const [what, waitMs] of events) {
        now += waitMs;
        plan.due(now);
        if (what === "contended") plan.contended(now);
        if (what === "claimed") plan.claimed(now);
        assert.ok(plan.deadline > now);
      }
      plan.stop();
      assert.equal(plan.deadline, Infinity);
      assert.equal(plan.due(now + 1e9), 0);
    }),
  );
});

test("answers to claims: a minute of claims gets six, a quiet minute starts anew", () => {
  const plan = new AnnouncePlan({ ...announceDefaults, delayMs: 0 });
  plan.start(0);
  const answers: number[] = [];
  for (let now = 0; now <= 60_000; now += 100) {
    if (plan.due(now) > 0 || plan.claimed(now) > 0) answers.push(now);
  }
  const gaps = answers.slice(1).map((at, i) => at - answers[i]!);
  assert.deepEqual(gaps, [1000, 2000, 4000, 8000, 16_000]);
  const later = 60_000 + 300_000;
  plan.due(later);
  assert.equal(plan.claimed(later + 62_000), 1);
  assert.equal(plan.claimed(later + 62_000 + 1000), 1, "the pause is the first one again");
});

// ---- address guard ----

test("every removal is answered: now, or when the guard wants to be woken, within 5 s", () => {
  const removals = fc.array(
    fc.tuple(fc.constantFrom("a", "b"), fc.integer({ min: 0, max: 10_000 })),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(removals, (events) => {
      const guard = new AddressGuard();
      let now = 0;
      for (const [address, waitMs] of events) {
        now += waitMs;
        guard.removed(now, address);
        const at = guard.deadline;
        assert.ok(at <= now + 5000);
        assert.deepEqual(guard.due(at), [address]);
        assert.deepEqual(guard.due(at), []);
        assert.equal(guard.deadline, Infinity);
        now = at;
      }
    }),
  );
});

test("six removals of one address within 30 s are a fight, told once; of six, none", () => {
  const guard = new AddressGuard();
  const fought = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => guard.removed(i * 1000, "a"));
  assert.deepEqual(fought.map(Number), [0, 0, 0, 0, 0, 1, 0, 0]);
  for (const address of ["b", "c", "d", "e", "f", "g"]) {
    assert.equal(guard.removed(8000, address), false);
  }
  guard.reset();
  assert.equal(guard.removed(9000, "a"), false);
});

test("removals that are far apart are never a fight and are answered at once", () => {
  const guard = new AddressGuard();
  for (let i = 0; i < 100; i++) {
    const now = i * 30_000;
    assert.equal(guard.removed(now, "a"), false);
    assert.deepEqual(guard.due(now), ["a"]);
  }
});

test("more addresses than an instance can have are not remembered", () => {
  const guard = new AddressGuard();
  for (let i = 0; i < 1000; i++) guard.removed(0, String(i));
  assert.equal(guard.due(0).length, 512);
});

// ---- peer table ----

test("at most 16 peers are kept, the last heard ones, with their last priority", () => {
  const adverts = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 255 })),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(adverts, (heard) => {
      const table = new PeerTable();
      const model = new Map<string, number>();
      for (const [now, [peer, priority]] of heard.entries()) {
        const address = String(peer);
        assert.equal(table.heard(now, address, priority) !== undefined, !model.has(address));
        model.delete(address);
        model.set(address, priority);
        if (model.size > 16) model.delete([...model.keys()][0]!);
      }
      const kept = table.status().toSorted((a, b) => a.lastHeardMs - b.lastHeardMs);
      assert.deepEqual(
        kept.map((p) => [p.address, p.priority]),
        [...model],
      );
      assert.equal(table.isEmpty, heard.length === 0);
      for (const address of ["1", "99"]) {
        const others = [...model.keys()].filter((a) => a !== address);
        assert.equal(table.knowsOtherThan(address), others.length > 0);
      }
    }),
  );
});

test("a rival is a split once, from the settled moment on, until it has ended", () => {
  const table = new PeerTable();
  assert.equal(table.contend(0, "x", 2000), false);
  assert.equal(table.contend(1999, "x", 2000), false);
  assert.equal(table.endContention(), undefined, "what went in time was none");
  assert.equal(table.contend(2000, "x", 2000), true);
  assert.equal(table.contend(3000, "x", 2000), false);
  assert.equal(table.contendsSince(2999), true);
  assert.equal(table.contendsSince(3000), false);
  assert.equal(table.endContention()?.peer, "x");
  assert.equal(table.endContention(), undefined);
  assert.equal(table.claimed(4000, "192.0.2.200", "0e:00"), true);
  assert.equal(table.claimed(5000, "192.0.2.200", "0e:00"), false);
});

test("two rivals are one split; who advertises names one that an answer had shown", () => {
  const table = new PeerTable();
  assert.equal(table.claimed(1000, "192.0.2.200", "0e:00"), true);
  assert.equal(table.contend(2000, "x", 0), true, "it has a name now");
  assert.equal(table.contention?.sinceMs, 1000);
  assert.equal(table.contention?.wasClaimed, true);
  for (const [at, rival] of [
    [3000, "y"],
    [3500, "x"],
    [4000, "y"],
  ] as const) {
    assert.equal(table.contend(at, rival, 0), false, `${rival} is no news`);
    assert.equal(table.contendsSince(at - 1), true);
  }
  assert.equal(table.endContention()?.peer, "x");
  assert.equal(table.claimed(5000, "192.0.2.200", "0e:00"), true);
  assert.equal(table.contend(5500, "x", 7000), true, "told already, it does not wait");
  assert.equal(table.endContention()?.sinceMs, 5000, "what was told ends");
});

// ---- starvation ----

test("adverts less than an interval late are never starvation", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 999.9, noNaN: true })), (late) => {
      const starvation = new Starvation();
      for (const ms of late) assert.equal(starvation.advert(ms, 1000), false);
    }),
  );
});

test("three missed intervals are starvation, at once or one by one, but not if far apart", () => {
  for (const [late, starved] of [
    [[3000], true],
    [[2999], false],
    [[1000, 1000, 1000], true],
    [[2000, 0, 0, 1000], true],
    [[2000, ...Array.from({ length: 20 }, () => 0), 1000], false],
    [[1000, ...Array.from({ length: 40 }, () => 0), 1000, 1000], false],
  ] as const) {
    const starvation = new Starvation();
    const verdicts = late.map((ms) => starvation.advert(ms, 1000));
    assert.equal(verdicts.at(-1), starved, String(late));
    starvation.reset();
    assert.equal(starvation.advert(2999, 1000), false);
  }
});

// ---- lateness ----

test("the 99th percentile is never below the real one, nor above the maximum", () => {
  const samples = fc.array(fc.double({ min: 0, max: 10_000, noNaN: true }), {
    minLength: 1,
    maxLength: 500,
  });
  fc.assert(
    fc.property(samples, (late) => {
      const lateness = new Lateness();
      for (const ms of late) lateness.record(ms);
      const sorted = late.toSorted((a, b) => a - b);
      const real = sorted[Math.ceil(sorted.length * 0.99) - 1]!;
      assert.ok(lateness.p99Ms >= real);
      assert.ok(lateness.p99Ms <= lateness.maxMs);
      assert.equal(lateness.maxMs, sorted.at(-1));
      assert.equal(lateness.lastMs, late.at(-1));
    }),
  );
});

test("the past fades: a bad hour does not spoil the percentile for ever", () => {
  const lateness = new Lateness();
  for (let i = 0; i < 10_000; i++) lateness.record(800);
  for (let i = 0; i < 200_000; i++) lateness.record(0.05);
  assert.equal(lateness.p99Ms, 0.1);
  assert.equal(lateness.maxMs, 800);
});

// ---- facts ----

test("facts: the last word counts, and a full memory learns the news of what it knows", () => {
  const facts = new Facts();
  const say = (name: string, ok: boolean): void =>
    facts.trackChanged({ type: "track-changed", kind: "script", name, ok, value: 0, reason: "" });
  for (let i = 0; i < 5000; i++) say(String(i), false);
  say("0", true);
  const look = (name: string): TrackVerdict =>
    facts.verdictOf(instance(), { kind: "script", name, weight: 0, reverse: false });
  assert.equal(look("0").ok, true);
  assert.equal(look("4095").pending, false);
  assert.equal(look("4999").pending, true);
});

// ---- reload ----

test("plain data equals its copy, and one changed leaf makes the difference", () => {
  const data = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(data, data, fc.string(), (value, leaf, name) => {
      assert.ok(sameValue(value, structuredClone(value)));
      const before = { list: [value], [name]: leaf };
      assert.ok(!sameValue(before, { list: [value], [name]: { leaf } }));
      assert.ok(!sameValue({ list: [value, 1] }, { list: [value, 2] }));
      assert.equal(sameValue(value, leaf), sameValue(leaf, value));
    }),
  );
});

test("whether a change needs a restart does not depend on its direction", () => {
  const drafts = [
    instance(),
    instance({ priority: 5 }),
    instance({ vrid: 5 }),
    instance({ authentication: { kind: "pass", password: "x" }, version: 2 }),
    instance({ sourceAddress: "192.0.2.9" }),
    instance({ vips: ["192.0.2.7"] }),
  ];
  for (const a of drafts) {
    assert.equal(needsRestart(a, a), false);
    for (const b of drafts) assert.equal(needsRestart(a, b), needsRestart(b, a));
  }
});
