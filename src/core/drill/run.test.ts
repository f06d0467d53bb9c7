import assert from "node:assert/strict";
import { test } from "node:test";
import { backup, calm, facts, node } from "../../../test/kit/drill-facts.ts";
import { drillKind } from "./catalogue/catalogue.ts";
import { planFor } from "./catalogue/drill-kind.ts";
import type { View } from "./facts.ts";
import type { DrillPlan } from "./plan.ts";
import { CALM_MS, DrillRun, type DrillInput } from "./run.ts";

function plan(name: string): DrillPlan {
  const made = planFor(drillKind(name)!, facts);
  assert.ok(typeof made !== "string", name);
  return made;
}

const taken: View = {
  target: node("lb1", { state: "FAULT" }),
  others: [{ ...backup, instances: [{ ...backup.instances[0]!, state: "MASTER" }] }],
  seesOthers: true,
};

/** Orders, by name, of one step after the other; `ms` since the start. */
class Script {
  readonly run: DrillRun;
  readonly orders: string[] = [];
  now = 0;

  constructor(name: string) {
    this.run = new DrillRun(plan(name), 0);
  }

  at(ms: number, ...inputs: readonly DrillInput[]): this {
    this.now = ms;
    for (const input of inputs) {
      for (const order of this.run.step(ms, input)) this.orders.push(order.type);
    }
    return this;
  }

  look(ms: number, view: View): this {
    return this.at(ms, { type: "looked", view });
  }

  /** The fault is in force. */
  begin(): this {
    this.look(0, calm).look(CALM_MS, calm);
    return this.at(CALM_MS, { type: "armed" }, { type: "injected" });
  }
}

test("a drill breaks nothing before it has seen the steady state for a while", () => {
  const script = new Script("link-down").look(0, calm).look(CALM_MS - 1, calm);
  assert.deepEqual(script.orders, []);
  assert.deepEqual(script.look(CALM_MS, calm).orders, ["arm"]);
});

test("a state that is not steady ends the drill without a fault", () => {
  const script = new Script("link-down");
  script.look(0, { ...calm, target: undefined });
  script.at(script.run.deadline, { type: "woken" });
  assert.deepEqual(script.orders, ["finish"]);
  assert.match(script.run.outcome.error ?? "", /the node does not answer/);
  assert.equal(script.run.outcome.faulted, false);
});

test("the guard is armed before the fault, and the fault is taken back after the watch", () => {
  const script = new Script("link-down").begin();
  assert.deepEqual(script.orders, ["arm", "inject"]);
  script.at(500, { type: "told", event: { node: "lb1", kind: "state-changed", reason: "" } });
  script.look(600, taken);
  assert.deepEqual(script.orders, ["arm", "inject"]);
  script.at(script.run.deadline, { type: "woken" });
  assert.equal(script.orders.at(-1), "roll-back");
  script.at(9000, { type: "undone", problems: [] });
  script.look(9100, calm).look(9100 + CALM_MS, calm);
  assert.equal(script.orders.at(-1), "finish");
  const { deviations, happened } = script.run.outcome;
  assert.deepEqual([deviations, happened], [[], true]);
});

test("a consequence that does not come is a deviation, and the fault is taken back all the same", () => {
  const script = new Script("link-down").begin().look(600, calm);
  script.at(script.run.deadline, { type: "woken" });
  assert.equal(script.orders.at(-1), "roll-back");
  assert.match(script.run.outcome.deviations[0] ?? "", /nobody took it over/);
});

test("an answer that comes too late for the last look is waited for, for two seconds at most", () => {
  const silent: View = { ...taken, others: [] };
  const watched = (...after: readonly View[]): DrillRun => {
    const script = new Script("link-down").begin();
    script.at(500, { type: "told", event: { node: "lb1", kind: "state-changed", reason: "" } });
    script.look(600, taken).look(700, silent);
    const overMs = script.run.deadline;
    script.at(overMs, { type: "woken" });
    assert.equal(script.orders.at(-1), "inject");
    for (const view of after) script.look(overMs + 100, view);
    if (script.run.phase === "watching") script.at(overMs + 2000, { type: "woken" });
    assert.equal(script.orders.at(-1), "roll-back");
    return script.run;
  };
  const { deviations, happened } = watched(silent, taken).outcome;
  assert.deepEqual([deviations, happened], [[], true]);
  assert.match(watched(silent).outcome.deviations[0] ?? "", /nobody took it over/);
  assert.match(watched(calm).outcome.deviations[0] ?? "", /nobody took it over/);
});

test("clients without an answer for too long abort the drill at once", () => {
  const script = new Script("link-down").begin();
  const { outageMs } = script.run.plan.abort;
  const count = { answered: 9, failed: 0, silentMs: outageMs + 1 };
  script.at(9000, { type: "counted", count });
  assert.equal(script.orders.at(-1), "roll-back");
  assert.match(script.run.outcome.aborted ?? "", /no answer/);
});

test("whoever stops it, and a guard that is lost, lead to the roll-back once", () => {
  for (const type of ["stop-asked", "guard-lost"] as const) {
    const script = new Script("kill-vrrp").begin();
    script.at(700, { type, reason: "why" }, { type, reason: "again" });
    assert.deepEqual(script.orders, ["arm", "inject", "roll-back"]);
    assert.equal(script.run.outcome.aborted, "why");
  }
});

test("an undo that failed is an error, whatever was measured", () => {
  const script = new Script("kill-vrrp").begin();
  script.at(700, { type: "stop-asked", reason: "why" });
  script.at(800, { type: "undone", problems: ["no such file"] });
  assert.match(script.run.outcome.error ?? "", /no such file/);
});

test("who had the address must have it again, or not, as the configuration says", () => {
  const script = new Script("link-down").begin();
  script.at(500, { type: "told", event: { node: "lb1", kind: "state-changed", reason: "" } });
  script.look(600, taken).at(script.run.deadline, { type: "woken" });
  script.at(9000, { type: "undone", problems: [] });
  const swapped: View = {
    target: node("lb1", { state: "BACKUP" }),
    others: taken.others,
    seesOthers: true,
  };
  script.look(9100, swapped).at(script.run.deadline, { type: "woken" });
  assert.match(script.run.outcome.deviations[0] ?? "", /site did not come back/);
});

test("a server that was drained has the time of a usual slow start to get its share again", () => {
  const { settleMs } = plan("backend-drained");
  // pools.NAME.slow_start: 30 s, unless the file says otherwise.
  assert.ok(settleMs > 30_000, `${settleMs} ms`);
});
