import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { NodeStatus } from "../daemon/control-api.ts";
import { StatusWatch } from "./status-watch.ts";

const STATUS = { version: "1", wallMs: 0, configuration: {}, roles: [] } as unknown as NodeStatus;

/** A watch, the clock of the test, and how often control was asked. */
function stage(t: TestContext): {
  readonly watch: StatusWatch;
  readonly seen: { asked: number; isWatched: boolean; answers: boolean };
  readonly pass: (ms: number) => Promise<void>;
} {
  let nowMs = 0;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => nowMs);
  const seen = { asked: 0, isWatched: false, answers: true };
  const watch = new StatusWatch({
    ask: () => {
      seen.asked++;
      return seen.answers ? Promise.resolve(STATUS) : new Promise(() => undefined);
    },
    node: () => "lb1",
    lastSeq: () => 0,
    isWatched: () => seen.isWatched,
    looked: () => undefined,
  });
  t.after(() => watch.close());
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      nowMs += 100;
      t.mock.timers.tick(100);
      await turn();
    }
  };
  return { watch, seen, pass };
}

test("while nobody looks a status is asked for once a minute; who looks gets it at once", async (t) => {
  const { watch, seen, pass } = stage(t);
  await pass(600_000);
  assert.ok(seen.asked <= 11, `${seen.asked} times in ten minutes`);
  assert.equal(watch.source.state, "live");

  await pass(30_000);
  seen.asked = 0;
  watch.askedFor();
  await pass(100);
  assert.equal(seen.asked, 1);
  seen.isWatched = true;
  watch.soon();
  await pass(10_000);
  assert.ok(seen.asked >= 10, `${seen.asked} times in ten seconds`);
});

test("who begins to look a moment after an answer is not left with it", async (t) => {
  const { watch, seen, pass } = stage(t);
  await pass(61_000);
  seen.asked = 0;
  watch.askedFor();
  seen.isWatched = true;
  await pass(10_000);
  assert.ok(seen.asked >= 7, `${seen.asked} times in ten seconds`);
});

test("who looks soon learns that control hangs, however seldom it was asked before", async (t) => {
  const { watch, seen, pass } = stage(t);
  await pass(70_000);
  seen.answers = false;
  watch.askedFor();
  await pass(4_000);
  assert.equal(watch.source.state, "stale");
});
