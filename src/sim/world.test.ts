import assert from "node:assert/strict";
import { test } from "node:test";
import { Router } from "../core/vrrp/router.ts";
import type { RouterAction, RouterInput } from "../core/vrrp/router-ports.ts";
import type { MakeRouter, RouterMachine } from "./process.ts";
import type { Scenario } from "./scenario.ts";
import { drawScenario } from "./swarm.ts";
import { play } from "./world.ts";

const real: MakeRouter = (settings) => new Router(settings);

/** A small quiet group to hang one fault on. */
const quiet: Scenario = {
  seed: 1,
  group: {
    version: 3,
    family: "ipv4",
    unicast: false,
    instances: 1,
    addresses: 1,
    authentication: "none",
    witness: false,
    checksumWithPseudoHeader: true,
    downTimerAdverts: 3,
    lease: true,
    fastHandover: true,
    announceRefreshMs: 0,
  },
  nodes: [1, 2].map((n) => ({
    name: `n${n}`,
    hostNumber: 10 + n,
    priority: 200 - 50 * n,
    intervalMs: 100,
    preempt: true,
    preemptDelayMs: 0,
    startAsMaster: false,
    startupDelayMs: 0,
    tracks: [],
    drift: 0,
    bootAtMs: 0,
    restoreRemovedAddresses: true,
    otherPriority: 0,
    firstVerdictsMs: 0,
  })),
  clients: 1,
  clientCacheMs: 30_000,
  link: { delayMs: 1, jitterMs: 0 },
  timerLatenessMs: 0.1,
  chaosMs: 1000,
  faults: [],
};

test("the same seed gives the same trace, read or not", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const first = play(drawScenario(seed), real);
    const second = play(drawScenario(seed), real, { trace: true });
    assert.equal(second.hash, first.hash, `seed ${seed}`);
    assert.equal(second.events, first.events);
    assert.equal(first.lines.length, 0);
    assert.ok(second.lines.length > 0);
  }
});

test("what is no fault of the router does not count as one", () => {
  const seeds = {
    77000261: "a reload while a fresh process waits to go on in the lease of the one before it",
    77002690: "a verdict between the end of that lease and the timer",
    300052551: "a reload of a backup that has addresses ready",
    300011612: "two masters that died, and whose successors both wait",
  };
  for (const [seed, what] of Object.entries(seeds)) {
    assert.equal(play(drawScenario(Number(seed)), real).violation, undefined, what);
  }
});

test("different seeds give different scenarios", () => {
  const drawn = new Set(
    Array.from({ length: 200 }, (_, seed) => JSON.stringify({ ...drawScenario(seed), seed: 0 })),
  );
  assert.equal(drawn.size, 200);
});

test("a quiet group elects its highest priority and stays so", () => {
  const { violation, lines } = play(quiet, real, { trace: true });
  assert.equal(violation, undefined);
  const masters = lines.filter((line) => line.includes('"state":"MASTER"'));
  assert.equal(masters.length, 1);
  assert.match(masters[0]!, / n1 /);
});

test("a killed master answers until its lease lapses, before the backup takes over", () => {
  const faults = [
    { kind: "crash", atMs: 50, durationMs: 900, node: 0, hitsOwner: false, other: 1, strength: 0 },
  ] as const;
  const { violation, lines } = play({ ...quiet, faults }, real, { trace: true });
  assert.equal(violation, undefined);
  const died = lines.findIndex((line) => line.includes("process dies"));
  const lapsed = lines.findIndex((line) => line.includes("lease of V1 lapses"));
  const taken = lines.findIndex((line) => / n2 .*acquire-addresses/.test(line));
  assert.ok(died > 0 && died < lapsed && lapsed < taken, `${died} ${lapsed} ${taken}`);
});

test("without a lease a killed master and its successor answer together", () => {
  const faults = [
    { kind: "crash", atMs: 50, durationMs: 900, node: 0, hitsOwner: false, other: 1, strength: 0 },
  ] as const;
  const group = { ...quiet.group, lease: false };
  const { violation, lines } = play({ ...quiet, group, faults }, real, { trace: true });
  assert.equal(violation, undefined);
  assert.ok(!lines.some((line) => line.includes("lapses")));
});

/** The least machine: the first node is always master, and cares for nothing. */
class Stubborn implements RouterMachine {
  deadline: number = Infinity;
  readonly #first: boolean;
  readonly #throws: boolean;

  constructor(first: boolean, throws: boolean) {
    this.#first = first;
    this.#throws = throws;
  }

  step(_now: number, input: RouterInput): readonly RouterAction[] {
    if (this.#throws) throw new Error("planted");
    if (input.type !== "started" || !this.#first) return [];
    return [{ type: "acquire-addresses", instance: "V1" }];
  }

  reconfigure(): readonly RouterAction[] {
    return [];
  }
}

test("an owner that says nothing of it is found at its first step", () => {
  const { violation } = play(quiet, (s) => new Stubborn(s.routerId === "n1", false));
  assert.equal(violation?.oracle, "state-matches-kernel");
});

test("a group in which nobody takes over has no owner", () => {
  assert.equal(play(quiet, () => new Stubborn(false, false)).violation?.oracle, "one-owner");
});

test("two owners that can hear each other are not borne longer than an interval", () => {
  const muted = new Set(["state-matches-kernel"] as const);
  const { violation } = play(quiet, () => new Stubborn(true, false), { muted });
  assert.equal(violation?.oracle, "no-two-owners");
  assert.ok(violation.atMs < 2 * 100, `${violation.atMs} ms`);
});

test("a machine that throws is a violation, not a crash of the simulator", () => {
  const { violation } = play(quiet, () => new Stubborn(true, true));
  assert.equal(violation?.oracle, "machine-sound");
  assert.match(violation.message, /planted/);
});
