import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  judgeHandover,
  judgeServerOrder,
  type Consequences,
  type HandoverFacts,
  type ServerOrderFacts,
} from "./action-safety.ts";

const HANDOVER: HandoverFacts = {
  instance: "VI_1",
  together: ["VI_1", "VI_2"],
  node: "a",
  holder: "a",
  rivals: [],
  standbys: ["b", "c"],
  emptyThere: [],
};

function refusal({ refused }: Consequences): readonly unknown[] {
  return [refused?.why.code, refused?.override];
}

test("a handover says what moves with it and who stands by then", () => {
  const { moves, left, refused } = judgeHandover(HANDOVER);
  assert.deepEqual(
    moves.map(({ text }) => text),
    ["VI_1 goes from a to b", "VI_2 goes from a to b"],
  );
  assert.deepEqual(
    left.map(({ text }) => text),
    ["then a, c stand by"],
  );
  assert.equal(refused, undefined);
});

test("a handover without anybody who could take over is refused; who knows better may insist", () => {
  const judged = (change: Partial<HandoverFacts>): readonly unknown[] =>
    refusal(judgeHandover({ ...HANDOVER, ...change }));
  assert.deepEqual(judged({ standbys: [] }), ["order-no-standby", true]);
  assert.deepEqual(judged({ standbys: undefined }), ["order-standby-unknown", true]);
  assert.deepEqual(judged({ rivals: ["b"] }), ["order-split-brain", true]);
  assert.deepEqual(judged({ emptyThere: ["web"] }), ["order-empty-there", true]);
});

test("what is not here cannot be handed over, whoever insists", () => {
  assert.deepEqual(refusal(judgeHandover({ ...HANDOVER, holder: "b" })), ["order-not-ours", false]);
  assert.deepEqual(refusal(judgeHandover({ ...HANDOVER, holder: undefined })), [
    "order-not-ours",
    false,
  ]);
});

function order(rest: Partial<ServerOrderFacts>, ready: readonly boolean[] = [true, true]) {
  const servers = ready.map((isReady, i) => ({
    name: `s${i + 1}`,
    machine: `m${i}`,
    isReady,
    capacity: 0,
    active: 3,
  }));
  const pool = { name: "web", servers };
  return judgeServerOrder({
    pool,
    server: "s1",
    order: "drain",
    now: "ready",
    isIll: false,
    ...rest,
  });
}

test("the last server of a pool is not taken away without insisting", () => {
  for (const one of ["drain", "maintenance"] as const) {
    assert.deepEqual(refusal(order({ order: one }, [true, false])), ["order-last-server", true]);
    assert.equal(order({ order: one }).refused, undefined);
  }
  assert.deepEqual(refusal(order({ order: "weight", weight: 0 }, [true])), [
    "order-last-server",
    true,
  ]);
  assert.equal(order({ order: "weight", weight: 5 }, [true]).refused, undefined);
});

test("a server that does not serve anyway may go", () => {
  assert.equal(order({ order: "maintenance" }, [false, false]).refused, undefined);
});

test("one that is left alone is told", () => {
  const { left } = order({});
  assert.deepEqual(
    left.map(({ code }) => code),
    ["left-servers", "left-last"],
  );
});

test("the rest must take the load of now", () => {
  const server = (name: string, active: number) => ({
    name,
    machine: name,
    isReady: true,
    capacity: 10,
    active,
  });
  const judged = (active: number): readonly unknown[] =>
    refusal(order({ pool: { name: "web", servers: [server("s1", 5), server("s2", active)] } }));
  assert.deepEqual(judged(5), [undefined, undefined]);
  assert.deepEqual(judged(6), ["order-too-small", true]);
});

test("an order that is in force already, and one for nobody, is nothing to insist on", () => {
  assert.deepEqual(refusal(order({ now: "drain" })), ["order-already", false]);
  assert.deepEqual(refusal(order({ order: "ready" })), ["order-already", false]);
  assert.deepEqual(refusal(order({ server: "s9" })), ["order-no-such-server", false]);
});

test("an ill server that is made ready waits for its check", () => {
  assert.equal(
    order({ order: "ready", now: "drain", isIll: true }).moves[0]?.code,
    "moves-back-later",
  );
});

test("whatever is not refused leaves somebody who serves", () => {
  const words = fc.constantFrom("drain" as const, "maintenance" as const);
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }), words, (ready, one) => {
      const { refused } = order({ order: one }, ready);
      const before = ready.some(Boolean);
      const after = ready.slice(1).some(Boolean);
      if (refused === undefined) assert.ok(after || !before || ready[0] === false);
      else assert.ok(ready[0] === true && !after);
    }),
  );
});
