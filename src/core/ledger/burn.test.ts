import assert from "node:assert/strict";
import { test } from "node:test";
import { SERVICE } from "../../../test/kit/ledger-year.ts";
import { availabilityOf, explainDifference, percent } from "./availability.ts";
import { budgetOf, shareProblem, split } from "./budget.ts";
import { BURN_RULES, BurnWatch, type BurnStatus, unreachableRules } from "./burn.ts";
import { Series } from "./series.ts";

const MINUTE = 60_000;
const FAST = BURN_RULES[0]!;

/** `rates`: failing requests of 100, minute by minute. */
function judged(rates: readonly number[], watch = new BurnWatch(SERVICE, "v", FAST)): BurnStatus[] {
  const series = new Series();
  return rates.map((bad, minute) => {
    const atMs = 1e9 + minute * MINUTE;
    series.add(atMs, { good: 100 - bad, bad });
    return watch.judge(atMs, series);
  });
}

const states = (list: readonly BurnStatus[]): string[] =>
  list.map(({ state }) => state).filter((state, i, all) => state !== all[i - 1]);

test("an alert needs both windows: a short burst in a quiet hour is not enough", () => {
  const quiet = Array.from({ length: 60 }, () => 0);
  // 2 minutes of 40 % in an hour: 13.3 times over the hour.
  assert.deepEqual(states(judged([...quiet, 40, 40, 0])), ["quiet"]);
  // 3 minutes: 20 times.
  assert.deepEqual(states(judged([...quiet, 40, 40, 40])), ["quiet", "firing"]);
});

test("it ends when the short window has stayed well below the limit for a minute", () => {
  const hour = Array.from({ length: 60 }, () => 2);
  const at = (bad: number): string[] => states(judged([...hour, ...Array(12).fill(bad)]));
  // 1.2 % is 12 times: below 14.4, not below three quarters of it.
  assert.deepEqual(at(1.2), ["firing"]);
  assert.deepEqual(at(0), ["firing", "quiet"]);
});

test("too few requests are not judged, and that is told", () => {
  const series = new Series();
  const watch = new BurnWatch({ ...SERVICE, minEvents: 100 }, "v", FAST);
  series.add(1e9, { good: 0, bad: 99 });
  const status = watch.judge(1e9, series);
  assert.equal(status.state, "too-little-traffic");
  assert.match(status.reason, /99 of at least 100 requests within 1 h/);
  series.add(1e9, { good: 0, bad: 1 });
  assert.equal(watch.judge(1e9, series).state, "firing");
  assert.equal(new BurnWatch(SERVICE, "v", FAST).judge(1e9, new Series()).state, "no-data");
});

test("rates that can never be reached are told", () => {
  assert.deepEqual(unreachableRules(0.999), []);
  assert.equal(unreachableRules(0.9).length, 1);
  assert.match(unreachableRules(0.9)[0]!, /fast alert needs 14.4 times .* only 10 times/);
  assert.equal(unreachableRules(0.8).length, 2);
  const service = { ...SERVICE, objectives: { ...SERVICE.objectives, availability: 0.9 } };
  const [status] = judged([100], new BurnWatch(service, "v", FAST));
  assert.equal(status!.state, "unreachable");
});

test("an alert goes on over a restart, and does not end because measurements stop", () => {
  const watch = new BurnWatch(SERVICE, "v", FAST, 5);
  assert.equal(watch.judge(1e9, new Series()).state, "firing");
});

test("the table of allowed downtime is the known one", () => {
  const minutes = (objective: number, days: number): string => {
    const measured = { good: 0, bad: 0, badMs: 0, plannedMs: 0 };
    const span = { lengthMs: days * 86_400_000, heaviest: 100 };
    return budgetOf(objective, measured, span).allowedMinutes.toFixed(2);
  };
  assert.equal(minutes(0.99, 365), "5256.00");
  assert.equal(minutes(0.999, 365), "525.60");
  assert.equal(minutes(0.999, 30), "43.20");
  assert.equal(minutes(0.9995, 30), "21.60");
  assert.equal(minutes(0.9999, 365), "52.56");
  assert.equal(minutes(0.99999, 365), "5.26");
});

test("shares add up to 100 %, or it is told why not", () => {
  const owners = (...shares: number[]): { name: string; share: number }[] =>
    shares.map((share, i) => ({ name: `o${i}`, share }));
  assert.equal(shareProblem(owners(60, 40)), undefined);
  assert.equal(shareProblem(owners(33.33, 33.33, 33.34)), undefined);
  assert.match(shareProblem(owners(60, 30)) ?? "", /add up to 90 %/);
  assert.match(shareProblem([...owners(50), ...owners(50)]) ?? "", /o0 is named twice/);
  const parts = split(200, owners(60, 40));
  assert.deepEqual([...parts.values()], [120, 80]);
});

test("the two ways to count and the two places to look from are compared in words", () => {
  const period = { fromMs: 0, toMs: 1_000_000, planned: [] };
  const of = (vantage: string, bads: readonly number[]): ReturnType<typeof availabilityOf> => {
    const measures = bads.map((bad, i) => {
      const counts = { good: 100 - bad, bad, slow: 0 };
      return { service: "web", vantage, fromMs: i * 10_000, lengthMs: 10_000, ...counts };
    });
    return availabilityOf(SERVICE, vantage, measures, period);
  };
  const [balancer, probe] = [of("balancer", [0, 0, 10, 0]), of("probe:home", [0, 100, 10, 0])];
  const lines = explainDifference([balancer, probe]);
  assert.equal(balancer.byTime, 0.75);
  assert.match(lines[0]!, /balancer: 75.000 % of the time but 97.500 % of the requests/);
  assert.match(
    lines.at(-1)!,
    /balancer says 97.500 %, probe:home says 72.500 %: users met failures/,
  );
  assert.equal(percent(0.99996), "99.996 %");
  assert.equal(percent(0.999999), "99.999 %");
});

test("vantages that measured different times are not compared as if they had seen the same", () => {
  const service = { ...SERVICE };
  const measure = { service: "web", slow: 0, lengthMs: 10_000 };
  const spans = (vantage: string, count: number, bad: number) =>
    Array.from({ length: count }, (_, i) => {
      return { ...measure, vantage, fromMs: i * 10_000, good: 100 - bad, bad };
    });
  const period = { fromMs: 0, toMs: 1_000_000, planned: [] };
  const figures = [
    availabilityOf(service, "balancer", spans("balancer", 60, 20), period),
    availabilityOf(service, "probe:desk", spans("probe:desk", 3, 0), period),
  ];
  const said = explainDifference(figures).at(-1);
  assert.match(said!, /they measured different times, 10m 00s and 30\.0 s$/u);
});
