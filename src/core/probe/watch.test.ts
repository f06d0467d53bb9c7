import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ProbeBucket, type ProbeOutage, readReport } from "./report.ts";
import { ProbeWatch, type WatchNews } from "./watch.ts";

const GOOD = { ok: true, reason: "status 200" };
const BAD = { ok: false, reason: "status 503, wanted 200-399" };
/** Unix ms of monotonic 0, on the edge of a bucket. */
const EPOCH = 1_700_000_000_000;

function watch(): ProbeWatch {
  return new ProbeWatch({ slowMs: 500, wallOffsetMs: EPOCH });
}

/** Each probe: sent at, ended at, answer. Told in the order of time. */
type Life = readonly (readonly [number, number, typeof GOOD & { by?: string }])[];

function live(probes: Life, pauses: readonly (readonly [number, number])[] = []): WatchNews[] {
  const watched = watch();
  const news: WatchNews[] = [];
  const ids = new Map<number, number>();
  const events: { at: number; do: () => void }[] = [];
  for (const [i, [sentMs, endMs, answer]] of probes.entries()) {
    events.push({ at: sentMs, do: () => void ids.set(i, watched.sent(sentMs)) });
    events.push({
      at: endMs,
      do: () => void news.push(...watched.ended(endMs, ids.get(i)!, answer)),
    });
  }
  for (const [fromMs, toMs] of pauses) {
    events.push({ at: toMs - 1e-6, do: () => watched.stoodStill(fromMs, toMs) });
  }
  for (const event of events.sort((a, b) => a.at - b.at)) event.do();
  return [...news, ...watched.close()];
}

function outagesOf(news: readonly WatchNews[]): ProbeOutage[] {
  return news.flatMap((one) => (one.kind === "outage-ended" ? [one.outage] : []));
}

function bucketsOf(news: readonly WatchNews[]): ProbeBucket[] {
  return news.flatMap((one) => (one.kind === "bucket" ? [one.bucket] : []));
}

test("an outage lasts from the last good answer to the next good answer", () => {
  const news = live([
    [0, 10, { ...GOOD, by: "a" }],
    [1000, 1001, BAD],
    [2000, 2001, BAD],
    [3000, 3020, { ...GOOD, by: "b" }],
  ]);
  assert.deepEqual(outagesOf(news), [
    {
      fromMs: EPOCH + 10,
      toMs: EPOCH + 3020,
      failed: 2,
      ownMs: 0,
      reason: BAD.reason,
      before: "a",
      after: "b",
    },
  ]);
  assert.ok(news.some((one) => one.kind === "answerer" && one.by === "b"));
});

test("one lost request among answered ones is an outage between its neighbours", () => {
  const news = live([
    [0, 5, GOOD],
    [1000, 6000, BAD],
    [2000, 2005, GOOD],
    [3000, 3005, GOOD],
  ]);
  const [outage] = outagesOf(news);
  assert.equal(outage?.fromMs, EPOCH + 5);
  assert.equal(outage?.toMs, EPOCH + 2005);
  assert.equal(outage?.failed, 1);
});

test("a service that never answered is out since it was asked first", () => {
  const watched = watch();
  const id = watched.sent(100);
  const [news] = watched.ended(600, id, BAD);
  assert.ok(news?.kind === "outage-began");
  assert.equal(news.outage.fromMs, EPOCH + 100);
  assert.equal(watched.outage?.toMs, undefined);
});

test("a prober that stood still does not blame the service", () => {
  const news = live(
    [
      [0, 5, GOOD],
      [1000, 7000, BAD],
      [7000, 7005, GOOD],
    ],
    [[1500, 6900]],
  );
  assert.deepEqual(outagesOf(news), []);
  const [bucket] = bucketsOf(news);
  assert.deepEqual([bucket?.good, bucket?.bad, bucket?.unjudged], [2, 0, 1]);
  assert.equal(bucket?.longestSilenceMs, 1600);
});

test("what the prober slept is taken out of the answer's time", () => {
  const [bucket] = bucketsOf(live([[0, 5200, GOOD]], [[100, 5100]]));
  assert.equal(bucket?.slow, 0);
  assert.equal(bucket?.latency.length, 1);
});

test("of an outage in which the prober slept too, both are told", () => {
  const news = live(
    [
      [0, 5, GOOD],
      [1000, 1001, BAD],
      [9000, 9005, GOOD],
    ],
    [[2000, 8900]],
  );
  const [outage] = outagesOf(news);
  assert.equal(outage?.ownMs, 6900);
  assert.equal(outage.toMs! - outage.fromMs, 9000);
});

test("what the prober lacks is not the service's fault", () => {
  const watched = watch();
  const id = watched.sent(0);
  assert.deepEqual(watched.ended(1, id, { ok: false, reason: "EMFILE", isOurs: true }), []);
  assert.equal(watched.totals.unjudged, 1);
});

test("slow answers are good, and counted", () => {
  const [bucket] = bucketsOf(live([[0, 501, GOOD]]));
  assert.deepEqual([bucket?.good, bucket?.slow], [1, 1]);
});

test("buckets begin at whole tens of seconds by the clock of the start", () => {
  const buckets = bucketsOf(
    live([
      [9000, 9005, GOOD],
      [9999, 10_500, BAD],
      [10_001, 10_002, GOOD],
    ]),
  );
  assert.deepEqual(
    buckets.map(({ fromMs, good, bad }) => [fromMs - EPOCH, good, bad]),
    [
      [0, 1, 1],
      [10_000, 1, 0],
    ],
  );
  assert.equal(buckets[0]?.firstBadMs, EPOCH + 9999);
});

/** Independent recomputation: sort by sending, walk once. */
test("whatever order answers come in, outages and counts are those of the order of sending", () => {
  const probe = fc.record({ took: fc.integer({ min: 1, max: 9000 }), ok: fc.boolean() });
  fc.assert(
    fc.property(fc.array(probe, { maxLength: 60 }), (drawn) => {
      const life: Life = drawn.map(({ took, ok }, i) => {
        return [i * 1000, i * 1000 + took, ok ? GOOD : BAD] as const;
      });
      const wanted: [number, number][] = [];
      let last = -1;
      let open: number | undefined;
      for (const [sentMs, endMs, { ok }] of life) {
        if (!ok) open ??= last < 0 ? Math.min(0, sentMs) : last;
        else {
          if (open !== undefined) wanted.push([open, endMs]);
          open = undefined;
          last = Math.max(last, endMs);
        }
      }
      const news = live(life);
      const seen = outagesOf(news).map((o) => [o.fromMs - EPOCH, o.toMs! - EPOCH]);
      assert.deepEqual(seen, wanted);
      const buckets = bucketsOf(news);
      const sum = (key: "good" | "bad"): number => buckets.reduce((all, b) => all + b[key], 0);
      assert.equal(sum("good"), drawn.filter(({ ok }) => ok).length);
      assert.equal(sum("bad"), drawn.filter(({ ok }) => !ok).length);
    }),
  );
});

test("a report is read, anything else is refused with a sentence", () => {
  const [bucket] = bucketsOf(live([[0, 5, GOOD]]));
  const report = {
    probe: "home",
    run: "1",
    target: "http://x/",
    sentMs: EPOCH,
    buckets: [bucket],
    outages: [{ fromMs: 1, failed: 1, ownMs: 0, reason: "x" }],
  };
  assert.deepEqual(readReport(report), report);
  for (const wrong of [
    null,
    [],
    { ...report, probe: "" },
    { ...report, sentMs: -1 },
    { ...report, buckets: [{ ...bucket, fromMs: 1234 }] },
    { ...report, buckets: [{ ...bucket, good: "1" }] },
    { ...report, buckets: [{ ...bucket, latency: [[999, 1]] }] },
    { ...report, buckets: Array.from({ length: 101 }, () => bucket) },
    { ...report, outages: [{}] },
  ]) {
    assert.equal(typeof readReport(wrong), "string");
  }
});

test("nothing that comes makes reading a report throw", () => {
  fc.assert(fc.property(fc.anything(), (data) => void readReport(data)));
});

test("what others say fits into a report and orders no terminal", () => {
  const loud = `500 \u001b[2J${"x".repeat(600)}`;
  const news = live([
    [0, 10, { ...GOOD, by: loud }],
    [1000, 1010, { ok: false, reason: loud }],
    [2000, 2010, { ...GOOD, by: "b" }],
  ]);
  const outages = outagesOf(news);
  const [{ reason, before } = { reason: "", before: "" }] = outages;
  for (const text of [reason, before ?? ""]) assert.match(text, /^500  \[2Jx{492}$/u);
  const report = { probe: "p", run: "1", target: "t", sentMs: 1, buckets: [], outages };
  assert.equal(typeof readReport(report), "object");
});
