import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProbeRecord } from "./probe-record.ts";
import {
  longestSilenceMs,
  measureOutage,
  shareOf,
  slowestAnswerMs,
  standstillMs,
  summarize,
  timeline,
} from "./probe-record.ts";

/** One probe per ms from 0; `who[i]` answers probe i half a ms later, undefined = nobody. */
function record(who: readonly (string | undefined)[]): ProbeRecord {
  const answerers = [...new Set(who.filter((by) => by !== undefined))];
  return {
    target: "192.0.2.1:7007",
    intervalMs: 1,
    sentMs: who.map((_, i) => i),
    answeredMs: who.map((by, i) => (by === undefined ? null : i + 0.5)),
    by: who.map((by) => (by === undefined ? -1 : answerers.indexOf(by))),
    answerers,
    endMs: who.length,
  };
}

function repeat(by: string | undefined, times: number): (string | undefined)[] {
  return Array.from({ length: times }, () => by);
}

const takeover = record([...repeat("lb1", 100), ...repeat(undefined, 30), ...repeat("lb2", 200)]);

test("an outage is the time between the last answer before and the first answer after", () => {
  const outage = measureOutage(takeover, 101);
  assert.equal(outage.outageMs, 31);
  assert.equal(outage.takeoverMs, 29.5);
  assert.equal(outage.lost, 29);
  assert.equal(outage.before, "lb1");
  assert.equal(outage.after, "lb2");
});

test("an outage that ends with the same answerer is no take-over", () => {
  const healed = record([...repeat("lb1", 50), ...repeat(undefined, 10), ...repeat("lb1", 100)]);
  assert.equal(measureOutage(healed, 50).outageMs, 11);
  assert.equal(measureOutage(healed, 50).takeoverMs, undefined);
});

test("an outage that nobody ended is infinite", () => {
  const dead = record([...repeat("lb1", 50), ...repeat(undefined, 200)]);
  assert.equal(measureOutage(dead, 50).outageMs, Infinity);
  const briefly = record([
    ...repeat("lb1", 50),
    ...repeat(undefined, 5),
    "lb2",
    ...repeat(undefined, 200),
  ]);
  assert.equal(measureOutage(briefly, 50).outageMs, Infinity);
});

test("probes under way when the prober was stopped are neither lost nor an outage", () => {
  const stopped = record([...repeat("lb1", 100), ...repeat(undefined, 30)]);
  assert.equal(summarize(stopped).lost, 0);
  assert.notEqual(measureOutage(stopped, 10).outageMs, Infinity);
});

test("what came after the end of the window is left out", () => {
  const twice = record([...repeat("lb1", 60), ...repeat(undefined, 40), ...repeat("lb1", 200)]);
  assert.equal(measureOutage(twice, 10, 59).outageMs, 1);
});

test("a timeline names who answered from when until when", () => {
  assert.deepEqual(timeline(takeover), [
    { by: "lb1", fromMs: 0.5, toMs: 99.5, answers: 100 },
    { by: "lb2", fromMs: 130.5, toMs: 329.5, answers: 200 },
  ]);
});

test("the slowest answer is told of the probes that were sent in a span", () => {
  const slow = record(repeat("web1", 100));
  const answeredMs = slow.answeredMs.map((ms, i) => (i === 40 ? 90 : ms));
  const late = { ...slow, answeredMs };
  assert.equal(slowestAnswerMs(late, 0, 100), 50);
  assert.equal(slowestAnswerMs(late, 41, 100), 0.5);
  assert.equal(slowestAnswerMs(record(repeat(undefined, 5)), 0, 100), 0);
});

test("a server's share is its part of the answers of a span, and 0 of none", () => {
  const mixed = record([...repeat("web1", 50), ...repeat("web2", 50)]);
  assert.equal(shareOf(mixed, "web2", 0, 100), 0.5);
  assert.equal(shareOf(mixed, "web2", 0, 50), 0);
  assert.equal(shareOf(mixed, "web2", 200, 300), 0);
});

test("while the client itself stands still nobody is silent", () => {
  // From 100 on it sends nothing for 400 ms, and nobody answers for 30 ms after that.
  const silent = record([...repeat("lb1", 100), ...repeat(undefined, 30), ...repeat("lb1", 100)]);
  const late = (ms: number): number => (ms >= 100 ? ms + 400 : ms);
  const stopped: ProbeRecord = {
    ...silent,
    sentMs: silent.sentMs.map(late),
    answeredMs: silent.answeredMs.map((ms) => (ms === null ? null : late(ms))),
    endMs: silent.endMs + 400,
  };
  assert.equal(longestSilenceMs(stopped, 0, 630), 31);
  assert.equal(standstillMs(stopped, 0, 630), 400);
  assert.equal(standstillMs(stopped, 0, 300), 200);
  assert.equal(standstillMs(silent, 0, 230), 0);
  assert.equal(longestSilenceMs(stopped, 90, 300), 1, "also where the span ends within");
});

test("a silence is as long as it lasted within a span, at its end too", () => {
  assert.equal(longestSilenceMs(takeover, 0, 300), 31);
  assert.equal(longestSilenceMs(takeover, 0, 120), 20.5);
  assert.equal(longestSilenceMs(record(repeat(undefined, 50)), 0, 50), 50);
});
