import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { addLatency, merged, minutesOf, spread, type Measurement } from "./measurement.ts";
import { Tally, type CountingProcess } from "./tally.ts";

function worker(
  life: string,
  good: number,
  bad = 0,
  more: Partial<CountingProcess> = {},
): CountingProcess {
  const counted = [
    { subject: "frontend web", good, bad, inFlight: 3, latency: [[5, good]] as const },
  ];
  return { life, isEnded: false, counted, ...more };
}

const take = (tally: Tally): Measurement | undefined => tally.take(() => "balancer", 0, 10_000)[0];

test("what was counted before the first look belongs to nobody", () => {
  const tally = new Tally();
  tally.look([worker("a", 1000)], 1);
  tally.look([worker("a", 1010, 1)], 2);
  const { good, bad, firstBadMs, latency } = take(tally)!;
  assert.deepEqual(
    { good, bad, firstBadMs, latency },
    { good: 10, bad: 1, firstBadMs: 2, latency: [[5, 10]] },
  );
  assert.equal(take(tally), undefined);
});

test("a new process counts from zero, and one that ended in order loses nothing", () => {
  const tally = new Tally();
  tally.look([worker("a", 100)], 1);
  tally.look([worker("a", 130, 0, { isEnded: true }), worker("b", 7)], 2);
  tally.look([worker("b", 9)], 3);
  const { good, bad } = take(tally)!;
  assert.deepEqual([good, bad], [39, 0]);
});

test("a process that was killed takes its requests in flight along", () => {
  const tally = new Tally();
  tally.look([worker("a", 100)], 1);
  tally.look([], 2);
  const { good, bad, lastBadMs } = take(tally)!;
  assert.deepEqual([good, bad, lastBadMs], [0, 3, 2]);
});

test("a look with bad answers and no good one is dark, whichever process answers", () => {
  const tally = new Tally();
  tally.look([worker("a", 100), worker("b", 50)], 1000);
  tally.look([worker("a", 100, 5), worker("b", 51)], 2000);
  tally.look([worker("a", 100, 9), worker("b", 51)], 3000);
  tally.look([worker("a", 100, 9), worker("b", 51, 2)], 4100);
  tally.look([worker("a", 100, 9), worker("b", 51, 2)], 5000);
  assert.equal(take(tally)!.darkMs, 2100);
  tally.look([worker("a", 100, 10), worker("b", 51, 2)], 5500);
  tally.look([worker("a", 100, 10), worker("b", 51, 2)], 6500);
  tally.look([worker("a", 100, 11), worker("b", 51, 2)], 7500);
  tally.look([worker("a", 101, 11), worker("b", 51, 2)], 8500);
  assert.equal(take(tally)!.darkMs, 2500);
  tally.look([worker("a", 200, 12), worker("b", 51, 2)], 9000);
  assert.equal(take(tally)!.darkMs, undefined);
});

test("a frontend that was removed and came back counts anew", () => {
  const tally = new Tally();
  tally.look([worker("a", 100, 50)], 1);
  tally.look([worker("a", 4, 1)], 2);
  const { good, bad } = take(tally)!;
  assert.deepEqual([good, bad], [4, 1]);
});

test("who goes on from what another one kept misses nothing of what was counted meanwhile", () => {
  const first = new Tally();
  first.look([worker("a", 100)], 1);
  const kept = JSON.parse(JSON.stringify(first.state)) as CountingProcess[];
  const next = new Tally(kept);
  next.look([worker("a", 150, 2)], 2);
  const { good, bad, latency } = take(next)!;
  assert.deepEqual([good, bad, latency], [50, 2, undefined]);
  next.look([worker("a", 151, 2)], 3);
  assert.deepEqual(take(next)?.latency, [[5, 1]]);
});

test("what was counted while nobody looked is spread evenly, and nothing of it is lost", () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.nat(100), fc.nat(2e8), (good, bad, gapMs) => {
      const base = { subject: "frontend web", vantage: "balancer", fromMs: 0, lengthMs: 10_000 };
      const from = 1_800_000_004_321;
      const pieces = spread({ ...base, good, bad }, from, from + gapMs);
      assert.equal(
        pieces.reduce((sum, piece) => sum + piece.good, 0),
        good,
      );
      assert.equal(
        pieces.reduce((sum, piece) => sum + piece.bad, 0),
        bad,
      );
      assert.ok(pieces.length <= 1_440);
      for (const { fromMs, lengthMs } of pieces) assert.equal(fromMs % lengthMs, 0);
    }),
  );
});

test("for any growth of any processes the sums are what was counted between first and last look", () => {
  const growth = fc.array(fc.array(fc.nat(50), { minLength: 2, maxLength: 2 }), { minLength: 2 });
  fc.assert(
    fc.property(growth, (steps) => {
      const tally = new Tally();
      const totals = [0, 0];
      steps.forEach((step, i) => {
        step.forEach((more, j) => (totals[j] = totals[j]! + more));
        tally.look([worker("a", totals[0]!), worker("b", totals[1]!)], i);
      });
      const expected = totals[0]! + totals[1]! - steps[0]![0]! - steps[0]![1]!;
      assert.equal(take(tally)?.good ?? 0, expected);
    }),
  );
});

test("minutes hold exactly what their spans held", () => {
  const spans = Array.from({ length: 30 }, (_, i): Measurement => {
    const base = {
      subject: "frontend web",
      vantage: "balancer",
      fromMs: i * 10_000,
      lengthMs: 10_000,
    };
    return {
      ...base,
      good: i,
      bad: i % 7 === 0 ? 1 : 0,
      ...(i % 7 === 0 ? { firstBadMs: i } : {}),
      latency: [[i, i + 1]],
    };
  });
  const minutes = minutesOf(spans);
  assert.equal(minutes.length, 5);
  const sum = (list: readonly Measurement[]): number =>
    list.reduce((total, { good }) => total + good, 0);
  assert.equal(sum(minutes), sum(spans));
  assert.equal(minutes[0]?.firstBadMs, 0);
  assert.deepEqual(
    minutes.flatMap(({ latency }) => latency ?? []),
    spans.flatMap(({ latency }) => latency ?? []),
  );
  assert.deepEqual(
    addLatency(
      [[1, 2]],
      [
        [0, 1],
        [1, 1],
      ],
    ),
    [
      [0, 1],
      [1, 3],
    ],
  );
  assert.equal(merged(spans[0]!, spans[1]!).lengthMs, 10_000);
});
