import assert from "node:assert/strict";
import { test } from "node:test";
import { longestUnnoticedMs, Witness, witnessesOf } from "./witness.ts";

const SETTINGS = { address: "10.0.0.1", intervalMs: 100, timeoutMs: 80, rise: 2, fall: 3 };
const woken = { type: "woken" } as const;

/** Sends the next echo and has it answered after 1 ms, or not at all. */
function round(witness: Witness, answered: boolean): string[] {
  const now = Math.ceil(witness.deadline / 100) * 100;
  const [sent] = witness.step(now, woken).filter((action) => action.type === "send-echo");
  assert.ok(sent !== undefined);
  const actions = answered
    ? witness.step(now + 1, { type: "echo-replied", sequence: sent.sequence })
    : witness.step(now + 80, woken);
  return actions.flatMap((action) => (action.type === "report-witness" ? [action.reason] : []));
}

test("the first answer is enough, three lost echoes are too many, two answers win it back", () => {
  const witness = new Witness(SETTINGS, 0);
  assert.deepEqual(round(witness, true), ["witness 10.0.0.1 answers (1 of 2)"]);
  assert.deepEqual(round(witness, false), []);
  assert.deepEqual(round(witness, false), []);
  assert.deepEqual(round(witness, false), ["witness 10.0.0.1 does not answer (3 of 3)"]);
  assert.deepEqual(round(witness, true), []);
  assert.deepEqual(round(witness, true), ["witness 10.0.0.1 answers (2 of 2)"]);
  assert.equal(witness.report?.reachable, true);
});

test("a lost first echo proves nothing", () => {
  const witness = new Witness(SETTINGS, 0);
  assert.deepEqual(round(witness, false), []);
  assert.equal(witness.report, undefined);
});

test("an answer that comes too late or has another number is not taken", () => {
  const witness = new Witness(SETTINGS, 0);
  witness.step(0, woken);
  assert.deepEqual(witness.step(1, { type: "echo-replied", sequence: 9 }), []);
  witness.step(80, woken);
  assert.deepEqual(witness.step(85, { type: "echo-replied", sequence: 1 }), []);
  assert.equal(witness.report, undefined);
});

test("a request that cannot be sent is a lost one at once", () => {
  const witness = new Witness({ ...SETTINGS, fall: 1 }, 0);
  witness.step(0, woken);
  assert.equal(witness.step(0, { type: "echo-failed", sequence: 1 }).length, 1);
  assert.equal(witness.report?.reachable, false);
});

test("a witness of several instances is asked once, at the pace of the fastest, within bounds", () => {
  const instances = [
    { witnesses: ["10.0.0.1", "10.0.0.2"], advertIntervalMs: 5000 },
    { witnesses: ["10.0.0.1"], advertIntervalMs: 10 },
    { witnesses: [], advertIntervalMs: 1000 },
  ];
  assert.deepEqual(
    witnessesOf(instances).map((witness) => [witness.address, witness.intervalMs]),
    [
      ["10.0.0.1", 100],
      ["10.0.0.2", 1000],
    ],
  );
});

test("one that stops answering right after an answer is told as late as that is promised, and not later", () => {
  const [settings] = witnessesOf([{ witnesses: ["10.0.0.1"], advertIntervalMs: 500 }]);
  const witness = new Witness(settings!, 0);
  witness.step(0, woken);
  witness.step(0, { type: "echo-replied", sequence: 1 });
  let now = 0;
  while (witness.report?.reachable !== false && now < 10_000) {
    now = witness.deadline;
    witness.step(now, woken);
  }
  assert.equal(now, longestUnnoticedMs(500));
});
