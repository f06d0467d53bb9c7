import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ALGORITHMS, PoolRig, poolSettings, request } from "../../../test/kit/pool-rig.ts";
import type { Outcome, PoolEvent } from "./pool-ports.ts";
import type { PoolSettings } from "./pool-settings.ts";
import type { Server } from "./server.ts";
import type { QueueClass, Ticket } from "./wait-queue.ts";

const OUTCOMES: readonly Outcome[] = ["ok", "error-status", "reset", "timeout", "cancelled"];
const STATES = ["ready", "drain", "maint"] as const;
const KINDS = [
  "request",
  "request",
  "request",
  "end",
  "end",
  "health",
  "admin",
  "weight",
  "reload",
  "time",
  "leave",
] as const;

interface Step {
  readonly kind: (typeof KINDS)[number];
  readonly a: number;
  readonly b: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...KINDS),
  a: fc.nat(1000),
  b: fc.nat(1000),
});

/** A configuration among many; servers come, go, and change limits and tiers. */
function settingsOf(seed: number): PoolSettings {
  const servers = [0, 1, 2, 3, 4]
    .filter((i) => ((seed >> i) & 1) === 0 || i === 0)
    .map((i) => ({
      name: `web${i + 1}`,
      maxConnections: (seed + i) % 3,
      tier: (seed + i) % 4 === 0 ? 1 : 0,
      weight: 1 + ((seed >> 3) % (i + 1)),
    }));
  return poolSettings(servers, {
    algorithm: ALGORITHMS[seed % ALGORITHMS.length]!,
    queue: { limit: seed % 7, timeoutMs: 500 },
    slowStart: { windowMs: seed % 2 === 0 ? 0 : 3000, aggression: 1, minimumPercent: 10 },
    panicPercent: seed % 3 === 0 ? 60 : 0,
    drainDeadlineMs: 2000,
    outlier: { ...poolSettings([]).outlier, consecutiveErrors: 2, baseEjectionMs: 700 },
  });
}

/** An engine that keeps its part of the bargain, and looks at everything after each step. */
class Chaos {
  readonly rig: PoolRig;
  readonly running: Server[] = [];
  readonly waiting = new Map<string, Ticket<string>>();
  readonly answered = new Set<string>();
  readonly events: PoolEvent[] = [];
  #requests = 0;

  constructor(seed: number) {
    this.rig = new PoolRig(settingsOf(seed), seed);
  }

  take({ kind, a, b }: Step): void {
    const { rig } = this;
    const { pool } = rig;
    const name = `web${(a % 5) + 1}`;
    if (kind === "request") this.#request(a, b);
    else if (kind === "end") this.#end(a, OUTCOMES[b % OUTCOMES.length]!);
    else if (kind === "health") pool.setHealth(rig.now, name, { up: b % 3 !== 0, reason: "check" });
    else if (kind === "admin")
      pool.setAdmin(rig.now, name, { state: STATES[b % 3]!, reason: "test" });
    else if (kind === "weight") pool.setWeight(rig.now, name, b % 4);
    else if (kind === "reload") pool.update(rig.now, settingsOf(b));
    else if (kind === "leave") this.#leave(a);
    else rig.pass(a * 3);
    this.#serveLine();
    this.events.push(...pool.takeEvents());
    this.#check();
  }

  /** All requests end, all time passes: nothing may be left. */
  settle(): void {
    while (this.running.length > 0) this.#end(0, "ok");
    this.#serveLine();
    while (this.running.length > 0) {
      this.#end(0, "ok");
      this.#serveLine();
    }
    this.rig.pass(10_000);
    this.#serveLine();
    while (this.running.length > 0) this.#end(0, "ok");
    const { pool } = this.rig;
    assert.equal(pool.waiting, 0, "nobody waits for ever");
    assert.ok(pool.servers.every(({ active, leaving }) => active === 0 && !leaving));
    this.rig.pass(600_000);
    assert.equal(pool.deadline, Infinity, "a pool at rest wants to sleep");
  }

  #request(a: number, b: number): void {
    const { pool, now } = this.rig;
    const tried = b % 5 === 0 ? pool.servers.slice(0, 1) : [];
    const sticky = a % 3 === 0 ? `web${(b % 6) + 1}` : undefined;
    const asked = request({ hash: a * 7919, sticky, tried });
    const { server, why, reason } = pool.pick(now, asked);
    assert.ok(reason !== "");
    if (server !== undefined) {
      assert.ok(!server.full && !tried.includes(server) && !server.leaving);
      assert.ok(why === "sticky" ? server.reachable : server.usable, why);
      assert.equal(server.admin === "maint", false);
      this.#start(server);
    } else if (why === "queue") {
      const waiter = `r${this.#requests++}`;
      const ticket = pool.enqueue(now, waiter, asked, (a % 4) as QueueClass);
      if (ticket !== undefined) this.waiting.set(waiter, ticket);
    } else {
      const possible = pool.servers.some((s) => s.usable && !s.full && !tried.includes(s));
      assert.ok(!possible || pool.waiting > 0, why);
    }
  }

  #start(server: Server): void {
    this.rig.pool.started(this.rig.now, server);
    this.running.push(server);
  }

  #end(which: number, outcome: Outcome): void {
    const [server] = this.running.splice(which % Math.max(1, this.running.length), 1);
    if (server !== undefined) this.rig.pool.finished(this.rig.now, server, outcome, 10);
  }

  #leave(which: number): void {
    const names = [...this.waiting.keys()];
    const name = names[which % Math.max(1, names.length)];
    if (name === undefined) return;
    this.rig.pool.leave(this.waiting.get(name)!);
    this.waiting.delete(name);
  }

  #serveLine(): void {
    const { pool, now } = this.rig;
    for (;;) {
      const grant = pool.nextGrant(now);
      if (grant === undefined) break;
      assert.ok(!grant.server.full && (grant.server.usable || grant.server.reachable));
      this.#answer(grant.waiter);
      this.#start(grant.server);
    }
    for (;;) {
      const drop = pool.nextDropped(now);
      if (drop === undefined) break;
      assert.ok(drop.why === "displaced" || drop.waitedMs >= 500);
      this.#answer(drop.waiter);
    }
  }

  #answer(waiter: string): void {
    assert.ok(this.waiting.delete(waiter), `${waiter} was answered but did not wait`);
    assert.ok(!this.answered.has(waiter));
    this.answered.add(waiter);
  }

  #check(): void {
    const { pool, now } = this.rig;
    assert.equal(pool.waiting, this.waiting.size, "no ticket is lost");
    assert.ok(pool.deadline > now, "what is due was done");
    for (const server of pool.servers) {
      assert.equal(server.active, this.running.filter((other) => other === server).length);
      assert.ok(server.weight >= 0 && Number.isFinite(server.weight));
      if (server.load !== undefined) assert.equal(server.load.actives[server.slot], server.active);
      const limit = server.settings.maxConnections;
      if (server.usable) assert.ok(server.admin === "ready" && !server.leaving && limit >= 0);
    }
    const status = pool.status(now);
    const usable = pool.servers.filter((server) => server.usable);
    assert.equal(status.tier === undefined, usable.length === 0);
    const ejected = pool.servers.filter((server) => server.ejected && !server.leaving);
    assert.ok(ejected.length <= 1, "10 % of five is one");
    if (usable.length === 0) assert.equal(ejected.filter((s) => s.state === "ejected").length, 0);
  }
}

/** Each kind of change and what must come between two of them. */
const OPPOSITES: Readonly<Record<string, string>> = {
  down: "up",
  ejected: "returned",
  "panic-on": "panic-off",
  added: "removed",
};

function assertAlternating(events: readonly PoolEvent[]): void {
  for (const [one, other] of Object.entries(OPPOSITES)) {
    const last = new Map<Server | undefined, string>();
    for (const { kind, server } of events) {
      // A server at another address starts anew.
      if (kind === "moved") last.delete(server);
      if (kind !== one && kind !== other) continue;
      assert.notEqual(last.get(server), kind, `${server?.name} ${kind} twice`);
      last.set(server, kind);
    }
  }
}

test("whatever happens to a pool, nobody is lost, misled or picked who must not be", () => {
  const property = fc.property(fc.nat(1000), fc.array(step, { maxLength: 120 }), (seed, steps) => {
    const chaos = new Chaos(seed);
    for (const each of steps) chaos.take(each);
    assertAlternating(chaos.events);
    chaos.settle();
  });
  fc.assert(property, { numRuns: 300 });
});
