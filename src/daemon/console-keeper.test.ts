/** A console that hangs is replaced: real processes, stopped by a signal. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ConsoleKeeper } from "./console-keeper.ts";
import { EventLog } from "./event-log.ts";
import { isAlive } from "./role-spawn.ts";
import { RoleSupervision } from "./role-supervision.ts";

/** One look less than a hung one is let live. */
const LOOKS = 14;

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 3000 && !isSo(); i++) await sleep(10);
  assert.ok(isSo(), what);
}

test("a stopped console is killed and another one started; one that lives is left alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nines-keeper-"));
  const [entry] = process.argv.splice(1, 1, join(import.meta.dirname, "../../bin/nines.ts"));
  const log = new EventLog(
    () => undefined,
    () => Date.now(),
  );
  const places = { runDirectory: folder, stateDirectory: folder };
  const supervision = new RoleSupervision({ ...places, role: "console" }, log);
  // The test looks: no time need pass for a console to have been silent for long.
  let look: (() => void) | undefined;
  const keeper = new ConsoleKeeper(supervision, (work) => {
    look = work;
    return () => (look = undefined);
  });
  const lookTimes = (count: number): void => Array.from({ length: count }).forEach(() => look?.());
  const kinds = (): readonly string[] => log.since(0).map(({ kind }) => kind);
  try {
    keeper.want(true);
    await until("its first sign of life", () => supervision.shownMs !== undefined);
    const first = supervision.status.pid!;
    const before = kinds();
    for (let life = 0; life < 2; life++) {
      const shown = supervision.shownMs;
      lookTimes(LOOKS);
      await until("another sign of life", () => supervision.shownMs !== shown);
    }
    assert.deepEqual([supervision.status.pid, kinds()], [first, before]);
    process.kill(first, "SIGSTOP");
    lookTimes(LOOKS + 2);
    await until("its successor", () => {
      const { pid, state } = supervision.status;
      return state === "running" && pid !== first && supervision.recorded === pid;
    });
    assert.ok(!isAlive(first));
    assert.deepEqual(kinds().slice(before.length, before.length + 3), [
      "role-hung",
      "role-ended",
      "role-started",
    ]);
    const hung = log.since(0).findLast(({ kind }) => kind === "role-hung");
    assert.equal(hung?.instance, "console");
    assert.match(hung?.reason ?? "", /no sign of life for 30000 ms; killing it$/u);
  } finally {
    await keeper.stop();
    process.argv.splice(1, 1, entry!);
    rmSync(folder, { recursive: true });
  }
});
