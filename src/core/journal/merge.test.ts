import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { mergeJournals, Timeline } from "./merge.ts";
import type { JournalRecord } from "./record.ts";

/** Machines with clocks that are as wrong as clocks can be; what happens is told in true order. */
class Machines {
  readonly told: JournalRecord[] = [];
  nowMs = 1_700_000_000_000;
  readonly #clocks = new Map<string, { skewMs: number; bootedMs: number; boot: number }>();
  readonly #seqs = new Map<string, number>();
  readonly #seen = new Map<string, Map<string, number>>();

  add(node: string, skewMs: number): void {
    this.#clocks.set(node, {
      skewMs,
      bootedMs: this.nowMs - 1e6 - Math.abs(skewMs % 1e5),
      boot: 1,
    });
    this.#seen.set(node, new Map());
  }

  reboot(node: string): void {
    const clock = this.#clocks.get(node)!;
    this.#clocks.set(node, { ...clock, bootedMs: this.nowMs, boot: clock.boot + 1 });
  }

  step(node: string, byMs: number): void {
    this.#clocks.get(node)!.skewMs += byMs;
  }

  /** `node` learns all of `other`'s journal; its next record says so. */
  learn(node: string, other: string): void {
    const seq = this.#seqs.get(other) ?? 0;
    if (seq > 0 && node !== other) this.#seen.get(node)!.set(other, seq);
  }

  say(node: string, subject = "", data?: JournalRecord["data"]): JournalRecord {
    const { skewMs, bootedMs, boot } = this.#clocks.get(node)!;
    const seq = (this.#seqs.get(node) ?? 0) + 1;
    this.#seqs.set(node, seq);
    const seen = this.#seen.get(node)!;
    const record: JournalRecord = {
      node,
      seq,
      boot: `${node}${boot}`,
      wallMs: this.nowMs + skewMs,
      monoMs: this.nowMs - bootedMs,
      source: "vrrp",
      level: "info",
      kind: data === undefined ? "note" : "state-changed",
      subject,
      reason: "",
      ...(data === undefined ? {} : { data }),
      ...(seen.size === 0 ? {} : { seen: Object.fromEntries(seen) }),
    };
    seen.clear();
    this.told.push(record);
    return record;
  }
}

const HOURS = fc.integer({ min: -36_000_000, max: 36_000_000 });
const NODES = ["a", "b", "c"];

/** Any run of three machines: they speak, learn of each other, reboot, and have their clocks set. */
const runs = fc
  .record({
    skews: fc.array(HOURS, { minLength: 3, maxLength: 3 }),
    steps: fc.array(
      fc.record({
        node: fc.nat(2),
        other: fc.nat(2),
        what: fc.constantFrom("say", "say", "say", "learn", "reboot", "step"),
        ms: fc.integer({ min: 1, max: 100_000 }),
      }),
      { minLength: 1, maxLength: 60 },
    ),
  })
  .map(({ skews, steps }) => {
    const machines = new Machines();
    NODES.forEach((node, i) => machines.add(node, skews[i]!));
    for (const { node, other, what, ms } of steps) {
      machines.nowMs += ms;
      const name = NODES[node]!;
      if (what === "learn") machines.learn(name, NODES[other]!);
      else if (what === "reboot") machines.reboot(name);
      else if (what === "step") machines.step(name, ms * (node - 1) * 50);
      machines.say(name);
    }
    return machines.told;
  });

function assertCausal(story: readonly JournalRecord[]): void {
  const told = new Map<string, number>();
  for (const { node, seq, seen = {} } of story) {
    assert.equal(seq, (told.get(node) ?? 0) + 1, "a node's own order");
    told.set(node, seq);
    for (const [other, known] of Object.entries(seen)) {
      assert.ok((told.get(other) ?? 0) >= known, `${node} ${seq} knew ${other} ${known}`);
    }
  }
}

const order = (records: Iterable<JournalRecord>): string[] =>
  mergeJournals(records).map(({ record }) => `${record.node}${record.seq}`);

test("for any clocks the story never tells an effect before its cause, and tells all", () => {
  fc.assert(
    fc.property(runs, (told) => {
      const story = mergeJournals(told).map(({ record }) => record);
      assert.equal(story.length, told.length);
      assertCausal(story);
    }),
    { numRuns: 300 },
  );
});

test("the order of arrival, repetitions and growth do not change the story", () => {
  fc.assert(
    fc.property(runs, fc.infiniteStream(fc.nat()), (told, numbers) => {
      const shuffled = told
        .map((record) => ({ record, key: numbers.next().value ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ record }) => record);
      const expected = order(told);
      assert.deepEqual(order([...shuffled, ...shuffled.slice(0, 5)]), expected);
      const timeline = new Timeline(1000);
      for (const record of shuffled) {
        timeline.add([record]);
        assert.ok(timeline.story.length > 0);
      }
      assert.deepEqual(
        timeline.story.map(({ record }) => `${record.node}${record.seq}`),
        expected,
      );
    }),
    { numRuns: 100 },
  );
});

test("with clocks that are right the story is the true order", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ node: fc.nat(2), ms: fc.integer({ min: 1, max: 9999 }) }), {
        minLength: 1,
      }),
      (steps) => {
        const machines = new Machines();
        NODES.forEach((node) => machines.add(node, 0));
        for (const { node, ms } of steps) {
          machines.nowMs += ms;
          machines.say(NODES[node]!);
        }
        assert.deepEqual(
          order(machines.told),
          machines.told.map(({ node, seq }) => `${node}${seq}`),
        );
      },
    ),
  );
});

const A = { node: "a", address: "10.0.0.1" };
const B = { node: "b", address: "10.0.0.2" };

/** a resigns, b takes over; later a preempts and b yields: nothing else connects the two. */
function switches(gaps: readonly number[], skewMs: number): JournalRecord[] {
  const machines = new Machines();
  machines.add("a", 0);
  machines.add("b", skewMs);
  const say = (who: typeof A, from: string, to: string, cause?: string): void => {
    const peer = who === A ? B.address : A.address;
    const told = cause === undefined ? {} : { peer, cause };
    machines.say(who.node, "VI_1", { from, to, address: who.address, ...told });
  };
  for (const gap of gaps) {
    machines.nowMs += gap;
    say(A, "MASTER", "BACKUP");
    machines.nowMs += 50 + (gap % 600);
    say(B, "BACKUP", "MASTER", "resigned");
    machines.nowMs += gap / 2;
    say(A, "BACKUP", "MASTER", "lower");
    machines.nowMs += 2;
    say(B, "MASTER", "BACKUP", "outranked");
  }
  return machines.told;
}

test("b took over because a resigned: so it comes later, whatever hours the clocks are apart", () => {
  for (const skewMs of [-36_000_000, -5_000, 0, 5_000, 36_000_000]) {
    const told = switches([20_000], skewMs);
    assert.deepEqual(order(told).slice(0, 2), ["a1", "b1"]);
  }
});

test("from a few switches alone the clocks are known: the whole story is in its true order", () => {
  const gaps = fc.array(fc.integer({ min: 10_000, max: 3_000_000 }), {
    minLength: 3,
    maxLength: 10,
  });
  fc.assert(
    fc.property(gaps, HOURS, (gaps, skewMs) => {
      const told = switches(gaps, skewMs);
      const story = mergeJournals(told, { reference: "a" });
      assert.deepEqual(
        story.map(({ record }) => `${record.node}${record.seq}`),
        told.map(({ node, seq }) => `${node}${seq}`),
      );
      for (const { record, atMs } of story.filter((one) => one.record.node === "b")) {
        assert.ok(Math.abs(atMs - (record.wallMs - skewMs)) < 1_000, "told by a's clock");
      }
    }),
  );
});

test("causes that go round in a circle - numbers that began anew - are told all the same", () => {
  const machines = new Machines();
  machines.add("a", 0);
  machines.add("b", 0);
  const first = { ...machines.say("a"), seen: { b: 5 } };
  const second = { ...machines.say("b"), seen: { a: 1 } };
  const rest = [2, 3, 4, 5].map(() => machines.say("b"));
  assert.equal(order([first, second, ...rest]).length, 6);
});
