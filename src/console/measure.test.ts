import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { MeasureStore } from "../drivers/measure-store.ts";
import { Measures } from "./measure.ts";

const START = 1_800_000_000_000;
const MASTER = { name: "VI_1", state: "MASTER" };
const BACKUP = { name: "VI_1", state: "BACKUP" };

interface Stage {
  readonly measures: Measures;
  /** What control was asked, and when, s. */
  readonly asked: string[];
  readonly say: (instance: object, agoMs?: number) => void;
  /** Its line to control. */
  readonly control: { isReachable: boolean };
  /** Somebody sets the clock. */
  readonly setClock: (byMs: number) => void;
  /** So many seconds; `each` at the end of each. */
  readonly pass: (seconds: number, each?: (second: number) => void) => Promise<void>;
}

/** A node that balances nothing, and a clock that the test moves. */
function stage(t: TestContext): Stage {
  let nowMs = START;
  let setMs = 0;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(Date, "now", () => nowMs + setMs);
  t.mock.method(performance, "now", () => nowMs - START);
  const asked: string[] = [];
  const note = (what: string): void => void asked.push(`${what} ${(nowMs - START) / 1000}`);
  const say = (instance: object, agoMs = 0): void => {
    const router = { instances: [instance] };
    const status = { router, routerAgeMs: 0, wallMs: nowMs + setMs - agoMs };
    measures.told(status as unknown as Parameters<Measures["told"]>[0]);
  };
  const control = {
    isReachable: true,
    service: { balance: { frontends: [] }, ledger: { services: [] } },
    client: {
      traffic: async () => {
        note("traffic");
        if (!control.isReachable) throw new Error("nobody listens");
        return { processes: [] };
      },
      serverTraffic: async () => ({ processes: [] }),
    },
    status: async () => {
      note("status");
      if (!control.isReachable) throw new Error("nobody listens");
      say(MASTER);
    },
  };
  const database = new DatabaseSync(":memory:");
  const onOpen = (opened: (one: DatabaseSync) => void): void => opened(database);
  const journal = { onOpen, share: () => undefined };
  const measures = new Measures(control as never, journal, "boot");
  const pass: Stage["pass"] = async (seconds, each) => {
    for (let second = 1; second <= seconds; second++) {
      nowMs += 1_000;
      t.mock.timers.tick(1_002);
      for (let i = 0; i < 5; i++) await turn();
      each?.((nowMs - START) / 1000);
    }
  };
  const setClock = (byMs: number): void => void (setMs += byMs);
  return { measures, asked, say, control, setClock, pass };
}

function held({ measures }: Stage): number[] {
  const query = { subject: "instance VI_1", fromMs: START, toMs: START + 86_400_000, limit: 99 };
  return measures.find(query).map(({ good }) => good);
}

test("each second is counted, and control hardly asked where it counts nothing", async (t) => {
  const node = stage(t);
  node.measures.run();
  await node.pass(150, (second) => {
    if (second % 15 === 0 && second < 90) node.say(MASTER);
  });
  // What else beats in this process goes on by real timers.
  t.mock.timers.reset();
  node.measures.close();
  assert.deepEqual(
    held(node).slice(0, 14),
    Array.from({ length: 14 }, () => 10),
  );
  assert.deepEqual(node.asked, [
    "status 0",
    "traffic 1",
    "traffic 61",
    "traffic 121",
    "status 136",
  ]);
});

test("what control said before the last change of who holds what is no news", async (t) => {
  const node = stage(t);
  node.measures.run();
  await node.pass(10);
  node.measures.heard({ kind: "state-changed", instance: "VI_1", to: "BACKUP" });
  node.say(MASTER, 5);
  await node.pass(20);
  node.say(MASTER);
  await node.pass(10);
  node.say(BACKUP);
  await node.pass(10);
  // What else beats in this process goes on by real timers.
  t.mock.timers.reset();
  node.measures.close();
  assert.deepEqual(held(node), [10, 10]);
});

test("nothing is counted from the moment in which the line to control ends", async (t) => {
  const node = stage(t);
  node.measures.run();
  await node.pass(25);
  node.control.isReachable = false;
  await node.pass(30);
  // What else beats in this process goes on by real timers.
  t.mock.timers.reset();
  node.measures.close();
  assert.deepEqual(held(node), [10, 10, 5]);
});

test("a clock set back does not make what control says older than the last change", async (t) => {
  const node = stage(t);
  node.measures.run();
  await node.pass(10);
  node.measures.heard({ kind: "state-changed", instance: "VI_1", to: "MASTER" });
  node.setClock(-3_600_000);
  await node.pass(140);
  // What else beats in this process goes on by real timers.
  t.mock.timers.reset();
  node.measures.close();
  assert.deepEqual(
    node.asked.filter((one) => one.startsWith("status")),
    ["status 0", "status 61", "status 122"],
  );
});

test("old spans that take long to be rolled up are worked at by one chain of calls", async (t) => {
  const rollUp = t.mock.method(MeasureStore.prototype, "rollUp", () => true);
  const { measures, pass } = stage(t);
  const perSecond: number[] = [];
  await pass(190, () => {
    perSecond.push(rollUp.mock.callCount());
    rollUp.mock.resetCalls();
  });
  measures.close();
  // One tick of the test's clock, one step of each chain.
  assert.deepEqual([perSecond[70], perSecond[185]], [1, 1]);
});
