import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reloaded } from "./control-api.ts";
import { ReloadTurns } from "./reload-turns.ts";

function scene(): { turns: ReloadTurns; begun: number[]; finish: (() => void)[] } {
  const begun: number[] = [];
  const finish: (() => void)[] = [];
  const turns = new ReloadTurns(() => {
    const number = begun.push(begun.length + 1);
    const done = Promise.withResolvers<Reloaded>();
    finish.push(() => done.resolve({ reloaded: true, diagnostics: [String(number)] }));
    return done.promise;
  });
  return { turns, begun, finish };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a second reload begins when the first has ended, and does for all who asked meanwhile", async () => {
  const { turns, begun, finish } = scene();
  turns.open();
  const first = turns.ask();
  await settled();
  const others = [turns.ask(), turns.ask(), turns.ask()];
  await settled();
  assert.deepEqual(begun, [1]);
  finish[0]!();
  assert.deepEqual((await first).diagnostics, ["1"]);
  await settled();
  assert.deepEqual(begun, [1, 2]);
  // It has read the file: whoever comes now may have changed it since.
  const last = turns.ask();
  finish[1]!();
  for (const other of others) assert.deepEqual((await other).diagnostics, ["2"]);
  await settled();
  finish[2]!();
  assert.deepEqual((await last).diagnostics, ["3"]);
});

test("a reload waits for the beginning, and there is none at the end", async () => {
  const { turns, begun, finish } = scene();
  const early = turns.ask();
  await settled();
  assert.deepEqual(begun, []);
  turns.open();
  await settled();
  assert.deepEqual(begun, [1]);
  const waiting = turns.ask();
  turns.close();
  finish[0]!();
  assert.equal((await early).reloaded, true);
  assert.deepEqual(await waiting, { reloaded: false, diagnostics: ["this node is stopping"] });
  assert.equal((await turns.ask()).reloaded, false);
  assert.deepEqual(begun, [1]);
});

test("a reload that fails keeps nobody from the next one", async () => {
  let fails = true;
  const turns = new ReloadTurns(async () => {
    if (fails) throw new Error("a bug");
    return { reloaded: true, diagnostics: [] };
  });
  turns.open();
  await assert.rejects(turns.ask());
  fails = false;
  assert.equal((await turns.ask()).reloaded, true);
});
