/** A generated year with known failures: the ledger against plain counting of seconds. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { availabilityOf } from "../src/core/ledger/availability.ts";
import { BURN_RULES, BurnWatch } from "../src/core/ledger/burn.ts";
import { compactTime, parseCompactTime } from "../src/core/ledger/civil-time.ts";
import { Ledger } from "../src/core/ledger/ledger.ts";
import { union } from "../src/core/ledger/intervals.ts";
import type { Measure } from "../src/core/ledger/measure.ts";
import { Series } from "../src/core/ledger/series.ts";
import { availabilityByIncidents, statisticsOf } from "../src/core/ledger/statistics.ts";
import { Prng } from "../src/lib/prng.ts";
import {
  countBurns,
  DAY_S,
  generateYear,
  measuresOf,
  SecondCount,
  SERVICE,
  SETTINGS,
  YEAR_START_MS,
} from "./kit/ledger-year.ts";

const year = generateYear(20261121);
const END_MS = YEAR_START_MS + year.days * DAY_S * 1000;

function filled(order: "in time" | "shuffled"): Ledger {
  const ledger = new Ledger(SETTINGS);
  const bad = [...measuresOf(year)].filter((measure) => measure.bad > 0);
  const all: ((ledger: Ledger) => void)[] = [
    ...year.records.map((record) => (to: Ledger) => to.record(record)),
    ...bad.map((measure) => (to: Ledger) => to.measured(measure)),
  ];
  if (order === "shuffled") {
    const random = new Prng(7);
    for (let i = all.length - 1; i > 0; i--) {
      const j = random.between(0, i);
      [all[i], all[j]] = [all[j]!, all[i]!];
    }
  }
  for (const one of all) one(ledger);
  ledger.step(END_MS);
  return ledger;
}

const ledger = filled("in time");
const seconds = new SecondCount(year);
const counted = seconds.incidents();

test("incidents of a generated year are those that counting seconds finds", () => {
  const hurt = ledger.incidents.filter(({ harmMs }) => harmMs > 0);
  assert.ok(counted.length > 40, `${counted.length} incidents`);
  assert.deepEqual(
    hurt.map(({ startMs, detectedMs, harmMs, rtoMs, scoreFromStart, score }) => ({
      startS: (startMs - YEAR_START_MS) / 1000,
      detectedS: (detectedMs - YEAR_START_MS) / 1000,
      harmS: harmMs / 1000,
      longestS: rtoMs / 1000,
      score: score.toFixed(6),
      scoreFromStart: scoreFromStart.toFixed(6),
    })),
    counted.map((one) => ({
      ...one,
      score: one.score.toFixed(6),
      scoreFromStart: one.scoreFromStart.toFixed(6),
    })),
  );
});

test("the order in which evidence comes does not matter, nor does its delay", () => {
  assert.deepEqual(filled("shuffled").incidents, ledger.incidents);
});

test("availability of each month is what counting seconds gives, both ways", () => {
  const planned = union(ledger.planned("web"));
  const measures = [...measuresOf(year)];
  for (let month = 0; month < 12; month++) {
    const [fromMs, toMs] = [Date.UTC(2026, month), Date.UTC(2026, month + 1)];
    const [fromS, toS] = [fromMs, toMs].map((ms) => (ms - YEAR_START_MS) / 1000) as [
      number,
      number,
    ];
    const part: Measure[] = measures.slice(fromS / 10, toS / 10);
    const said = availabilityOf(SERVICE, "balancer", part, { fromMs, toMs, planned });
    const { good, bad, goodS, badS, plannedS } = seconds.totals(fromS, toS);
    assert.equal(said.good, good);
    assert.equal(said.bad, bad);
    assert.equal(said.badMs, badS * 1000);
    assert.equal(said.goodMs, goodS * 1000);
    assert.equal(said.plannedMs, plannedS * 1000);
    assert.equal(said.unmeasuredMs, 0);
    assert.equal(said.byTime, goodS / (goodS + badS));
    assert.equal(said.byRequests, good / (good + bad));
  }
});

test("means over the year follow from the seconds", () => {
  const downS = counted.reduce((sum, { harmS }) => sum + harmS, 0);
  const lags = counted.map(({ startS, detectedS }) => detectedS - startS);
  const said = statisticsOf(ledger.incidents, { fromMs: YEAR_START_MS, toMs: END_MS });
  assert.equal(said.failures, counted.length);
  assert.equal(said.downMs, downS * 1000);
  const period = { fromMs: YEAR_START_MS, toMs: END_MS };
  const plannedS = seconds.totals(0, year.days * DAY_S).plannedS;
  assert.ok(
    Math.abs(
      availabilityByIncidents(ledger.incidents, period, union(ledger.planned("web"))) -
        (1 - downS / (year.days * DAY_S - plannedS)),
    ) < 1e-12,
  );
  assert.equal(said.mttfMs, ((year.days * DAY_S - downS) * 1000) / counted.length);
  assert.ok(Math.abs(said.mttrMs! - (downS * 1000) / counted.length) < 1e-6);
  const lag = (lags.reduce((sum, s) => sum + s, 0) * 1000) / lags.length;
  assert.ok(Math.abs(said.mttdMs! - lag) < 1e-6);
});

test("burn alerts of a generated year begin and end when running sums say so", () => {
  const series = new Series();
  const watches = BURN_RULES.map((rule) => new BurnWatch(SERVICE, "balancer", rule));
  const firing = new Set<string>();
  const changes: string[] = [];
  let minute = 0;
  for (const measure of measuresOf(year)) {
    series.add(measure.fromMs, measure);
    // The last bucket of a minute.
    if ((measure.fromMs / 10_000) % 6 !== 5) continue;
    for (const watch of watches) {
      const { rule, state } = watch.judge(measure.fromMs, series);
      if ((state === "firing") === firing.has(rule.name)) continue;
      if (state === "firing") firing.add(rule.name);
      else firing.delete(rule.name);
      changes.push(`${rule.name} ${state === "firing" ? "on" : "off"} ${minute}`);
    }
    minute++;
  }
  const expected = countBurns(year, 0.999);
  assert.ok(expected.length > 20, expected.join(", "));
  assert.deepEqual([...changes].sort(), [...expected].sort());
});

test("times of ids can be read again", () => {
  for (const ms of [0, END_MS, Date.UTC(2024, 1, 29, 23, 59, 59), Date.UTC(2100, 2, 1)]) {
    assert.equal(parseCompactTime(compactTime(ms)), ms);
    assert.equal(compactTime(ms), new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/gu, ""));
  }
});
