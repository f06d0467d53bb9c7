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

/** So often a test looks; a console shows life once a second. */
const LOOK_MS = 300;

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !isSo(); i++) await sleep(100);
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
  const keeper = new ConsoleKeeper(supervision, LOOK_MS);
  const kinds = (): readonly string[] => log.since(0).map(({ kind }) => kind);
  try {
    keeper.want(true);
    const signs = new Set<number | undefined>();
    await until("its signs of life", () => signs.add(supervision.shownMs).size > 3);
    const first = supervision.status.pid!;
    const before = kinds();
    // Longer than a hung one is let live.
    await sleep(16 * LOOK_MS);
    assert.deepEqual([supervision.status.pid, kinds()], [first, before]);
    process.kill(first, "SIGSTOP");
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
    assert.match(hung?.reason ?? "", /no sign of life for 4500 ms; killing it$/u);
  } finally {
    await keeper.stop();
    process.argv.splice(1, 1, entry!);
    rmSync(folder, { recursive: true });
  }
});
