import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { PoolRig, poolSettings, request } from "../../../test/kit/pool-rig.ts";
import { WaitQueue, type QueueClass, type Ticket } from "./wait-queue.ts";

const ONE_PLACE = [{ maxConnections: 1 }];

function waiting(rig: PoolRig, name: string, queueClass: QueueClass = 1, sticky?: string) {
  return rig.pool.enqueue(rig.now, name, request({ sticky }), queueClass);
}

/** Takes every grant there is and starts it; who got which server. */
function grants(rig: PoolRig): string[] {
  const given: string[] = [];
  for (;;) {
    const grant = rig.pool.nextGrant(rig.now);
    if (grant === undefined) return given;
    rig.pool.started(rig.now, grant.server);
    given.push(`${grant.waiter} ${grant.server.name} ${grant.waitedMs}`);
  }
}

function dropped(rig: PoolRig): string[] {
  const names: string[] = [];
  for (;;) {
    const drop = rig.pool.nextDropped(rig.now);
    if (drop === undefined) return names;
    names.push(`${drop.waiter} ${drop.why} ${drop.waitedMs}`);
  }
}

test("full servers make a request wait, and the place that gets free is given in order", () => {
  const rig = new PoolRig(poolSettings(ONE_PLACE));
  rig.start("web1");
  const { why, reason } = rig.pool.pick(rig.now, request());
  assert.equal(why, "queue");
  assert.equal(reason, "all 1 usable servers are full");
  waiting(rig, "a");
  waiting(rig, "b");
  assert.equal(rig.pool.waiting, 2);
  assert.deepEqual(grants(rig), []);
  rig.pass(20);
  rig.finish("web1");
  assert.deepEqual(grants(rig), ["a web1 20"]);
  rig.finish("web1");
  assert.deepEqual(grants(rig), ["b web1 20"]);
  assert.equal(rig.pool.waiting, 0);
});

test("a newcomer does not overtake those in line", () => {
  const rig = new PoolRig(poolSettings(ONE_PLACE));
  rig.start("web1");
  waiting(rig, "a");
  rig.finish("web1");
  assert.equal(rig.pool.pick(rig.now, request()).why, "queue");
  assert.deepEqual(grants(rig), ["a web1 0"]);
});

test("a higher class goes first, and within a class who came first", () => {
  const rig = new PoolRig(poolSettings([{ maxConnections: 4 }]));
  for (let i = 0; i < 4; i++) rig.start("web1");
  waiting(rig, "low", 3);
  waiting(rig, "first", 1);
  waiting(rig, "second", 1);
  waiting(rig, "critical", 0);
  for (let i = 0; i < 4; i++) rig.finish("web1");
  assert.deepEqual(grants(rig), ["critical web1 0", "first web1 0", "second web1 0", "low web1 0"]);
});

test("who waits too long is dropped, at the deadline and not before", () => {
  const rig = new PoolRig(poolSettings(ONE_PLACE, { queue: { limit: 10, timeoutMs: 300 } }));
  rig.start("web1");
  waiting(rig, "a");
  rig.pass(100);
  waiting(rig, "b", 0);
  assert.equal(rig.pool.deadline, 1300);
  rig.now = 1299;
  assert.deepEqual(dropped(rig), []);
  rig.now = 1300;
  assert.deepEqual(dropped(rig), ["a timeout 300"]);
  assert.equal(rig.pool.deadline, 1400);
});

test("a full line refuses, but a higher class takes the place of the youngest of the lowest", () => {
  const rig = new PoolRig(poolSettings(ONE_PLACE, { queue: { limit: 3, timeoutMs: 5000 } }));
  rig.start("web1");
  waiting(rig, "a", 2);
  waiting(rig, "b", 3);
  waiting(rig, "c", 3);
  assert.equal(waiting(rig, "d", 3), undefined);
  assert.notEqual(waiting(rig, "e", 1), undefined);
  assert.equal(rig.pool.waiting, 4, "three wait and one is to be told");
  assert.deepEqual(dropped(rig), ["c displaced 0"]);
  assert.equal(rig.pool.waiting, 3);
  const none = new PoolRig(poolSettings(ONE_PLACE, { queue: { limit: 0, timeoutMs: 5000 } }));
  assert.equal(waiting(none, "a", 0), undefined);
});

test("a client that leaves is neither granted nor dropped", () => {
  const rig = new PoolRig(poolSettings(ONE_PLACE, { queue: { limit: 2, timeoutMs: 300 } }));
  rig.start("web1");
  const a = waiting(rig, "a", 3)!;
  const b = waiting(rig, "b", 3)!;
  waiting(rig, "c", 0);
  rig.pool.leave(b);
  rig.pool.leave(a);
  rig.pool.leave(a);
  assert.equal(rig.pool.waiting, 1);
  rig.now += 400;
  assert.deepEqual(dropped(rig), ["c timeout 400"]);
});

test("a bound client waits for its own server and holds up nobody else", () => {
  const rig = new PoolRig(poolSettings([{ maxConnections: 1 }, { maxConnections: 1 }]));
  rig.start("web1");
  rig.start("web2");
  const picked = rig.pool.pick(rig.now, request({ sticky: "web1" }));
  assert.equal(picked.why, "queue");
  assert.equal(picked.reason, "bound to web1, which is full");
  waiting(rig, "bound", 1, "web1");
  waiting(rig, "any");
  rig.finish("web2");
  assert.deepEqual(grants(rig), ["any web2 0"]);
  rig.finish("web1");
  assert.deepEqual(grants(rig), ["bound web1 0"]);
});

test("a bound client whose server goes down is served by another one", () => {
  const rig = new PoolRig(poolSettings([{ maxConnections: 1 }, {}]));
  rig.start("web1");
  waiting(rig, "bound", 1, "web1");
  assert.deepEqual(grants(rig), []);
  rig.down("web1");
  assert.deepEqual(grants(rig), ["bound web2 0"]);
});

test("one that cannot go where it has been does not block those behind it", () => {
  const rig = new PoolRig(poolSettings([{ maxConnections: 1 }, { maxConnections: 1 }]));
  rig.start("web1");
  rig.start("web2");
  rig.pool.enqueue(rig.now, "retry", request({ tried: [rig.server("web1")] }), 1);
  waiting(rig, "fresh");
  rig.finish("web1");
  assert.deepEqual(grants(rig), ["fresh web1 0"]);
  rig.finish("web2");
  assert.deepEqual(grants(rig), ["retry web2 0"]);
});

test("a server that comes up or gets more room serves those in line", () => {
  const rig = new PoolRig(poolSettings([{ maxConnections: 1 }, {}]));
  rig.down("web2");
  rig.start("web1");
  waiting(rig, "a");
  assert.deepEqual(grants(rig), []);
  rig.up("web2");
  assert.deepEqual(grants(rig), ["a web2 0"]);
});

/** The same line as a list that is searched from the front. */
class SlowLine {
  readonly line: { name: number; queueClass: number }[] = [];

  next(): number | undefined {
    const best = Math.min(...this.line.map(({ queueClass }) => queueClass));
    const at = this.line.findIndex(({ queueClass }) => queueClass === best);
    return at === -1 ? undefined : this.line.splice(at, 1)[0]!.name;
  }

  leave(name: number): void {
    const at = this.line.findIndex((other) => other.name === name);
    if (at !== -1) this.line.splice(at, 1);
  }
}

type Move = { readonly kind: "come" | "grant" | "leave"; readonly value: number };
const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom("come", "come", "grant", "leave"),
  value: fc.nat(1000),
});

test("no ticket is lost, granted twice or out of order, whatever comes and goes", () => {
  const property = fc.property(fc.array(move, { maxLength: 200 }), (moves) => {
    const queue = new WaitQueue<number>({ limit: 1000, timeoutMs: 5000 });
    const model = new SlowLine();
    const tickets: Ticket<number>[] = [];
    const server = new PoolRig(poolSettings([{}])).server("web1");
    for (const { kind, value } of moves) {
      if (kind === "come") {
        const ticket = queue.ticket(0, tickets.length, request());
        assert.ok(queue.enqueue(ticket, (value % 4) as QueueClass, undefined));
        model.line.push({ name: tickets.length, queueClass: value % 4 });
        tickets.push(ticket);
      } else if (kind === "grant") {
        assert.equal(queue.nextGrant(0, () => server)?.waiter, model.next());
      } else if (tickets.length > 0) {
        const name = value % tickets.length;
        queue.leave(tickets[name]!);
        model.leave(name);
      }
      assert.equal(queue.waiting, model.line.length);
    }
  });
  fc.assert(property);
});
