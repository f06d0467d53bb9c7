import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Measures } from "./measure.ts";

const START = 1_800_000_000_000;
const MASTER = { name: "VI_1", state: "MASTER" };
const BACKUP = { name: "VI_1", state: "BACKUP" };

interface Stage {
  readonly measures: Measures;
  /** What control was asked, and when, s. */
  readonly asked: string[];
  readonly say: (instance: object, agoMs?: number) => void;
  /** So many seconds; `each` at the end of each. */
  readonly pass: (seconds: number, each?: (second: number) => void) => Promise<void>;
}

/** A node that balances nothing, and a clock that the test moves. */
function stage(t: TestContext): Stage {
  let nowMs = START;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(Date, "now", () => nowMs);
  t.mock.method(performance, "now", () => nowMs - START);
  const asked: string[] = [];
  const note = (what: string): void => void asked.push(`${what} ${(nowMs - START) / 1000}`);
  const say = (instance: object, agoMs = 0): void => {
    const router = { instances: [instance] };
    const status = { router, routerAgeMs: 0, wallMs: nowMs - agoMs };
    measures.told(status as unknown as Parameters<Measures["told"]>[0]);
  };
  const control = {
    service: { balance: { frontends: [] }, ledger: { services: [] } },
    client: {
      traffic: async () => {
        note("traffic");
        return { processes: [] };
      },
      serverTraffic: async () => ({ processes: [] }),
    },
    status: async () => {
      note("status");
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
  return { measures, asked, say, pass };
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
