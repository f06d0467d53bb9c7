import assert from "node:assert/strict";
import { test } from "node:test";
import type { DrillResult, Verdict } from "../../core/drill/result.ts";
import type { SiteEvent } from "../../drivers/drill-site.ts";
import { conclusion, eventLine, style, summary, told } from "./narrator.ts";

const PLAIN = style(false);

function event(node: string, kind: string, reason: string, to?: string): SiteEvent {
  const change = to === undefined ? {} : { from: "BACKUP", to };
  return { node, kind, reason, subject: "web/web1", wallMs: 0, ...change };
}

function result(verdict: Verdict, reason: string): DrillResult {
  return {
    id: "1",
    drill: "partition",
    title: "",
    layer: "network",
    target: "server01",
    site: "lab",
    startedWallMs: 0,
    endedWallMs: 0,
    verdict,
    reason,
    deviations: [reason],
    promise: "they take turns",
    promisedOutageMs: 4000,
    faulted: true,
    switchExpected: true,
    switched: true,
    measured: { requests: 10, failed: 2, outageMs: 5, returnOutageMs: 1, slowestMs: 1 },
    detection: { afterMs: 1, node: "server01", kind: "split-brain-found", reason: "split brain" },
    undoneBy: "guard",
    steps: [],
  };
}

const split = event("server01", "split-brain-found", "split brain: 10.0.0.2 answers too");
const taken = event("server03", "state-changed", "no advert", "MASTER");
const regained = event("server01", "state-changed", "better priority", "MASTER");

test("the table says who took over and why, and below it what was not as promised", () => {
  const events = [split, taken, regained];
  const all = [
    told(1, "cut off", { result: result("passed", ""), events, answerers: [] }),
    told(2, "killed", {
      result: result("deviated", "no answer for 9 s, promised was 4 s"),
      events: [split],
      answerers: ["web2", "web3"],
    }),
  ];
  assert.deepEqual(summary(all, PLAIN).split("\n"), [
    "experiment  requests  failed  outage   way back  took over   promise  why",
    "1. cut off  10        2       5.00 ms  1.00 ms   server03    kept     no advert",
    "2. killed   10        2       5.00 ms  1.00 ms   web2, web3  BROKEN   split brain",
    "",
    "1 of 2 experiments ended as promised.",
    "  NOT as promised: 2. killed: no answer for 9 s, promised was 4 s",
    "",
  ]);
});

test("events are told in words", () => {
  const words = (one: SiteEvent): string | undefined => eventLine(one)?.split("  ").slice(1).join();
  assert.equal(words(split), "server01,split brain: 10.0.0.2 answers too");
  assert.equal(words(taken), "server03,BACKUP -> MASTER: no advert");
  assert.equal(words(event("lb1", "lease-lapsed", "it hung")), "lb1,lease lapsed: it hung");
  const drained = event("lb1", "server-drain-started", "a drill");
  assert.equal(words(drained), "lb1,web/web1 drain started: a drill");
});

test("what is promised is told as a figure, beside what was measured", () => {
  assert.deepEqual(conclusion({ result: result("passed", "") }, PLAIN).split("\n"), [
    "   10 requests, 2 failed, out for 5.00 ms, on the way back 1.00 ms",
    "   promised: they take turns; at most 4.00 s without an answer",
    "   as promised",
    "",
  ]);
});
