import assert from "node:assert/strict";
import { test } from "node:test";
import { PoolRig, poolSettings, request, serverSettings } from "../../../test/kit/pool-rig.ts";
import { observeFailure, observeLatency, peakCost } from "./peak-latency.ts";
import type { Algorithm } from "./pool-settings.ts";
import { Server } from "./server.ts";

const DECAY = 10_000;

function fresh(): Server {
  const server = new Server(0, serverSettings(0), 0);
  server.weight = 1;
  return server;
}

test("the average jumps up at once and comes down slowly", () => {
  const server = fresh();
  observeLatency(server, 0, 10, DECAY);
  observeLatency(server, 1, 100, DECAY);
  assert.equal(server.latencyMs, 100);
  observeLatency(server, 10_001, 10, DECAY);
  assert.ok(Math.abs(server.latencyMs - (100 / Math.E + 10 * (1 - 1 / Math.E))) < 0.001);
});

test("what is shown is the time of real answers, whatever failures are counted as", () => {
  const server = fresh();
  observeLatency(server, 0, 10, DECAY);
  for (let i = 1; i <= 5; i++) observeFailure(server, i, 1, DECAY);
  assert.ok(server.latencyMs > 1000);
  assert.equal(server.answerMs, 10);
  observeLatency(server, 10, 20, DECAY);
  assert.equal(server.answerMs, 20);
});

test("without news the cost sinks, so that a slow server is asked again", () => {
  const server = fresh();
  observeLatency(server, 0, 100, DECAY);
  assert.ok(Math.abs(peakCost(server, 10_000, DECAY) - 100 / Math.E) < 0.001);
  assert.ok(peakCost(server, 1e9, DECAY) > 0);
});

test("running requests make a server more expensive in proportion to its weight", () => {
  const server = fresh();
  observeLatency(server, 0, 10, DECAY);
  server.active = 4;
  assert.equal(peakCost(server, 0, DECAY), 50);
  server.weight = 2;
  assert.equal(peakCost(server, 0, DECAY), 30);
});

test("each failure makes a server five times as expensive, up to a minute", () => {
  const server = fresh();
  observeFailure(server, 0, -1, DECAY);
  assert.equal(server.latencyMs, 1000, "nothing else is known of it");
  observeFailure(server, 0, 0.1, DECAY);
  assert.equal(server.latencyMs, 5000);
  observeFailure(server, 0, 30_000, DECAY);
  assert.equal(server.latencyMs, 30_000, "a time-out is as slow as it was");
  observeFailure(server, 0, 0.1, DECAY);
  assert.equal(server.latencyMs, 60_000);
});

test("of two whose latency is not known the idle one is cheaper, and both are cheaper asked once", () => {
  const [idle, busy] = [fresh(), fresh()];
  busy.active = 1;
  assert.ok(peakCost(idle, 0, DECAY) < peakCost(busy, 0, DECAY));
});

/** One request a millisecond; a server does `places` at a time and the rest wait inside of it. */
function slowest(algorithm: Algorithm): { p99: number; toSlow: number } {
  const rig = new PoolRig(poolSettings([{}, {}, {}, {}], { algorithm }), 5);
  const places = 8;
  const freeAt = new Map(rig.pool.servers.map((s) => [s, Array.from({ length: places }, () => 0)]));
  const ends: { at: number; server: Server; ms: number }[] = [];
  const times: number[] = [];
  let toSlow = 0;
  for (let now = 0; now < 20_000; now++) {
    const due = ends.filter(({ at }) => at <= now);
    for (const end of due) {
      ends.splice(ends.indexOf(end), 1);
      rig.pool.finished(now, end.server, "ok", end.ms);
    }
    const server = rig.pool.pick(now, request()).server!;
    rig.pool.started(now, server);
    const slow = server.name === "web1" && now >= 5000;
    if (slow) toSlow++;
    const own = freeAt.get(server)!;
    const place = own.indexOf(Math.min(...own));
    own[place] = Math.max(now, own[place]!) + (slow ? 100 : 10);
    ends.push({ at: own[place], server, ms: own[place] - now });
    if (now > 6000) times.push(own[place] - now);
  }
  times.sort((a, b) => a - b);
  return { p99: times[Math.floor(times.length * 0.99)]!, toSlow };
}

test("when one of four servers becomes ten times slower, peak-EWMA spares the clients", () => {
  const inTurn = slowest({ kind: "round-robin" });
  const peak = slowest({ kind: "peak-ewma", decayMs: DECAY });
  assert.equal(inTurn.toSlow, 3750, "a quarter of 15 seconds");
  assert.ok(inTurn.p99 > 10_000, `it drowns: ${inTurn.p99} ms`);
  assert.ok(peak.toSlow < 300, `${peak.toSlow} requests`);
  assert.ok(peak.p99 <= 100, `${peak.p99} ms`);
});
