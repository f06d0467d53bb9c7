import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { Measurement } from "../core/journal/measurement.ts";
import type { RecordDraft } from "../core/journal/record.ts";
import type { LedgerService } from "../core/ledger/settings.ts";
import type { ProbeReport } from "../core/probe/report.ts";
import { ProbeIntakeStore } from "../drivers/probe-intake-store.ts";
import { answerMistakes } from "../../test/kit/answer-mistakes.ts";
import type { Problem } from "./api.ts";
import { forgiving, type Intake, ProbeIntake } from "./probe-intake.ts";

const NOW = 1_800_000_000_000;

function service(name: string, probes: readonly string[] = []): LedgerService {
  return { name, probes } as unknown as LedgerService;
}

function report(patch: Partial<ProbeReport> = {}): ProbeReport {
  const counts = { good: 9, bad: 1, slow: 2, unjudged: 0 };
  const edges = { firstBadMs: NOW - 15_000, lastBadMs: NOW - 15_000 };
  return {
    probe: "home",
    run: "1",
    target: "http://shop/",
    sentMs: NOW,
    buckets: [
      { fromMs: NOW - 20_000, ...counts, longestSilenceMs: 2000, ...edges, latency: [[40, 9]] },
    ],
    outages: [],
    ...patch,
  };
}

function stage(services: readonly LedgerService[]): {
  take: (one: unknown, nowMs?: number) => Intake | Problem;
  measured: Measurement[];
  said: Omit<RecordDraft, "monoMs">[];
  store: ProbeIntakeStore;
} {
  const store = new ProbeIntakeStore(new DatabaseSync(":memory:"));
  const measured: Measurement[] = [];
  const said: Omit<RecordDraft, "monoMs">[] = [];
  const intake = new ProbeIntake({
    store: () => store,
    services: () => services,
    measured: (more) => void measured.push(...more),
    say: (draft) => void said.push(draft),
  });
  return { take: (one, nowMs = NOW) => intake.take(one, nowMs), measured, said, store };
}

test("a bucket becomes a measurement of the service from the prober's place", () => {
  const { take, measured } = stage([service("shop")]);
  const answer = take(report());
  assert.deepEqual(answer, { service: "shop", taken: 1, known: 0, clockBehindMs: 0 });
  assert.deepEqual(answerMistakes("Intake", answer), []);
  assert.deepEqual(measured, [
    {
      subject: "service shop",
      vantage: "probe:home",
      fromMs: NOW - 20_000,
      lengthMs: 10_000,
      good: 9,
      bad: 1,
      slow: 2,
      firstBadMs: NOW - 15_000,
      lastBadMs: NOW - 15_000,
      latency: [[40, 9]],
    },
  ]);
});

test("the same report again counts once; another life or prober counts by itself", () => {
  const { take, measured } = stage([service("shop")]);
  take(report());
  assert.deepEqual(take(report()), { service: "shop", taken: 0, known: 1, clockBehindMs: 0 });
  take(report({ run: "2" }));
  take(report({ probe: "office" }));
  assert.equal(measured.length, 3);
});

test("times of a prober whose clock is an hour behind are moved, and it is told once", () => {
  const { take, measured, said } = stage([service("shop")]);
  const hour = 3_600_000;
  const [bucket] = report().buckets;
  const late = { ...bucket!, fromMs: NOW - 20_000 - hour, firstBadMs: NOW - 15_000 - hour };
  const answer = take(report({ sentMs: NOW - hour, buckets: [late] }));
  assert.ok("clockBehindMs" in answer && answer.clockBehindMs === hour);
  assert.equal(measured[0]!.fromMs, NOW - 20_000);
  assert.equal(measured[0]!.firstBadMs, NOW - 15_000);
  take(report({ sentMs: NOW - hour + 50, buckets: [late], run: "2" }), NOW);
  assert.deepEqual(
    said.map(({ kind }) => kind),
    ["probe-clock"],
  );
  assert.match(said[0]!.reason, /1h 00m behind ours/);
});

test("an outage is told when it begins and when it ends, each once", () => {
  const { take, said, store } = stage([service("shop")]);
  const began = { fromMs: NOW - 5000, failed: 1, ownMs: 0, reason: "ECONNREFUSED", before: "a" };
  const ended = { ...began, toMs: NOW - 1000, failed: 4, after: "b" };
  take(report({ buckets: [], outages: [began] }));
  take(report({ buckets: [], outages: [began] }));
  take(report({ buckets: [], outages: [ended] }));
  take(report({ buckets: [], outages: [ended, began] }));
  assert.deepEqual(
    said.map(({ kind, wallMs }) => [kind, wallMs]),
    [
      ["probe-outage-began", NOW - 5000],
      ["probe-outage-ended", NOW - 1000],
    ],
  );
  assert.match(said[1]!.reason, /home got no good answer from http:\/\/shop\/ for 4.00 s/);
  const outages = store.outages(0, NOW, "shop");
  assert.equal(outages[0]!.toMs, NOW - 1000);
  assert.deepEqual(answerMistakes("KnownOutages", outages), []);
});

test("an outage that is over when it is first told is told as both", () => {
  const { take, said } = stage([service("shop")]);
  const outage = { fromMs: NOW - 5000, toMs: NOW, failed: 1, ownMs: 0, reason: "x" };
  take(report({ outages: [outage] }));
  assert.equal(said.length, 2);
});

test("the service is the one named, the one that names the prober, or the only one", () => {
  const two = [service("shop", ["home"]), service("api")];
  const named = stage(two).take(report({ service: "api" }));
  assert.ok("service" in named && named.service === "api");
  const bound = stage(two).take(report());
  assert.ok("service" in bound && bound.service === "shop");
  const unknown = stage(two).take(report({ probe: "office" }));
  assert.ok("status" in unknown && unknown.status === 422);
  const wrong = stage(two).take(report({ service: "shpo" }));
  assert.ok("detail" in wrong && wrong.detail.includes("there are: shop, api"));
});

test("what is no report is refused for good, without a journal for now", () => {
  const refused = stage([service("shop")]).take({ probe: 1 });
  assert.ok("status" in refused && refused.status === 422);
  const none = new ProbeIntake({
    store: () => undefined,
    services: () => [],
    measured: () => {},
    say: () => {},
  }).take(report(), NOW);
  assert.ok("status" in none && none.status === 503);
});

test("while control has not told which services there are, a report is refused for now only", () => {
  const { store, measured } = stage([]);
  const early = new ProbeIntake({
    store: () => store,
    services: () => undefined,
    measured: (more) => void measured.push(...more),
    say: () => {},
  }).take(report({ service: "shop" }), NOW);
  // 422 would make the prober throw its record away.
  assert.ok("status" in early && early.status === 503);
  assert.deepEqual(measured, []);
});

test("what a full disk takes no note of is not counted and comes again; our own probes' counts", () => {
  const { store, measured } = stage([]);
  let isFull = true;
  const onDisk = {
    ...forgiving(store),
    noteBuckets: (...note: Parameters<ProbeIntakeStore["noteBuckets"]>): void => {
      if (isFull) throw new Error("database or disk is full");
      store.noteBuckets(...note);
    },
  };
  const options = {
    services: () => [service("shop")],
    measured: (more: readonly Measurement[]) => void measured.push(...more),
    say: () => {},
  };
  const intake = new ProbeIntake({ ...options, store: () => onDisk });
  for (let i = 0; i < 3; i++) assert.throws(() => intake.take(report(), NOW), /full/);
  assert.deepEqual(measured, []);
  isFull = false;
  intake.take(report(), NOW);
  assert.equal(measured.length, 1);
  isFull = true;
  new ProbeIntake({ ...options, store: () => forgiving(onDisk) }).take(report({ run: "2" }), NOW);
  assert.equal(measured.length, 2);
});

test("a bucket in which the prober only slept is no measurement", () => {
  const { take, measured } = stage([service("shop")]);
  const [bucket] = report().buckets;
  take(report({ buckets: [{ ...bucket!, good: 0, bad: 0, unjudged: 7 }] }));
  assert.deepEqual(measured, []);
});
