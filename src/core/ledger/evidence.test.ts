import assert from "node:assert/strict";
import { test } from "node:test";
import { SERVICE } from "../../../test/kit/ledger-year.ts";
import { Histogram } from "../proxy/histogram.ts";
import { EVIDENCE_KINDS, evidenceOfMeasure, evidenceOfRecord, servicesOf } from "./evidence.ts";
import { harmOf, latencyOf, type Measure } from "./measure.ts";

const MEASURE: Measure = {
  service: "web",
  vantage: "balancer",
  fromMs: 0,
  lengthMs: 10_000,
  good: 100,
  bad: 0,
  slow: 0,
};

test("every kind that is asked for means something", () => {
  const data = {
    from: "FAULT",
    to: "MASTER",
    rpoMs: 5,
    fresh: true,
    id: "web-20261121T130000Z",
    who: "ann",
    class: "B",
    owners: [{ name: "a", share: 100 }],
  };
  for (const kind of EVIDENCE_KINDS) {
    const record = { node: "a", wallMs: 1, source: "x", kind, subject: "web", reason: "r", data };
    assert.notEqual(evidenceOfRecord(record).length, 0, kind);
  }
});

test("a record is about the services that its subject is a part of", () => {
  const other = { ...SERVICE, name: "mail", pools: ["mx"], frontends: ["smtp"], instances: [] };
  const names = (subject: string, source = "balance"): string[] =>
    servicesOf({ kind: "", subject, source }, [SERVICE, other]).map(({ name }) => name);
  assert.deepEqual(names("web/web1"), ["web"]);
  assert.deepEqual(names("mx"), ["mail"]);
  assert.deepEqual(names("VI_1"), ["web"]);
  assert.deepEqual(names(""), ["web", "mail"]);
  assert.deepEqual(names("mail", "operator"), ["mail"]);
  assert.deepEqual(names("nothing"), []);
});

test("a bucket is as bad as its share of failures, or of slow answers where that is an aim", () => {
  const of = (bad: number, slow = 0): string | undefined =>
    harmOf({ ...MEASURE, good: 100 - bad, bad, slow }, SERVICE);
  assert.deepEqual(
    [4, 5, 19, 20, 89, 90].map((bad) => of(bad)),
    [undefined, "partial", "partial", "wide", "wide", "down"],
  );
  assert.equal(of(0, 60), undefined);
  const latency = { belowMs: 100, share: 0.99 };
  const strict = { ...SERVICE, objectives: { ...SERVICE.objectives, latency } };
  assert.equal(harmOf({ ...MEASURE, slow: 60 }, strict), "wide");
  assert.equal(harmOf({ ...MEASURE, good: 0 }, SERVICE), undefined);
});

test("a short outage in a busy bucket is down from its first failure to its last", () => {
  const busy = { ...MEASURE, good: 5000, bad: 20, firstBadMs: 6000, lastBadMs: 9000 };
  assert.equal(harmOf(busy, SERVICE), undefined);
  assert.equal(harmOf({ ...busy, darkMs: 1000 }, SERVICE), undefined);
  assert.equal(harmOf({ ...busy, darkMs: 3000 }, SERVICE), "down");
  assert.equal(harmOf({ ...busy, darkMs: 2000 }, SERVICE), "down");
  assert.equal(harmOf({ ...busy, firstBadMs: 3000, darkMs: 3000 }, SERVICE), undefined);
  const harm = evidenceOfMeasure({ ...busy, darkMs: 3000 }, SERVICE)!;
  assert.deepEqual([harm.fromMs, harm.toMs, harm.severity], [6000, 9000, "down"]);
});

test("quantiles over several buckets are those of one histogram", () => {
  const [one, two, all] = [new Histogram(), new Histogram(), new Histogram()];
  for (let ms = 1; ms <= 1000; ms++) {
    (ms % 3 === 0 ? one : two).record(ms);
    all.record(ms);
  }
  const measures = [one, two].map((histogram) => ({
    ...MEASURE,
    latency: [...histogram.counts].map((count, i) => [i, count] as const),
  }));
  assert.deepEqual(latencyOf(measures), {
    p50: all.quantile(0.5),
    p95: all.quantile(0.95),
    p99: all.quantile(0.99),
  });
  assert.equal(latencyOf([MEASURE]), undefined);
});
