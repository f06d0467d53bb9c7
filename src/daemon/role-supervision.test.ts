/** A console or a check process that hangs is replaced: real processes, stopped by a signal. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { EventLog } from "./event-log.ts";
import { isAlive } from "./role-spawn.ts";
import { RoleSupervision } from "./role-supervision.ts";

/** How many looks without a sign of life are too many. */
const LOOKS = { console: 15, check: 10 } as const;

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 3000 && !isSo(); i++) await sleep(10);
  assert.ok(isSo(), what);
}

for (const role of ["console", "check"] as const) {
  test(`a stopped ${role} is killed and another one started; one that lives is left alone`, () =>
    stopped(role));
}

async function stopped(role: "console" | "check"): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nines-keeper-"));
  const [entry] = process.argv.splice(1, 1, join(import.meta.dirname, "../../bin/nines.ts"));
  const log = new EventLog(
    () => undefined,
    () => Date.now(),
  );
  const places = { runDirectory: folder, stateDirectory: folder };
  // The test looks: no time need pass for a process to have been silent for long.
  let look: (() => void) | undefined;
  const supervision = new RoleSupervision({ ...places, role }, log, (work) => {
    look = work;
    return () => (look = undefined);
  });
  const lookTimes = (count: number): void => Array.from({ length: count }).forEach(() => look?.());
  const kinds = (): readonly string[] => log.since(0).map(({ kind }) => kind);
  const running = supervision.run(() => undefined, true);
  try {
    await until("its first sign of life", () => supervision.shownMs !== undefined);
    const first = supervision.status.pid!;
    const before = kinds();
    for (let life = 0; life < 2; life++) {
      const shown = supervision.shownMs;
      lookTimes(LOOKS[role] - 1);
      await until("another sign of life", () => supervision.shownMs !== shown);
    }
    assert.deepEqual([supervision.status.pid, kinds()], [first, before]);
    process.kill(first, "SIGSTOP");
    lookTimes(LOOKS[role] + 1);
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
    assert.equal(hung?.instance, role);
    assert.match(hung?.reason ?? "", /no sign of life for \d+000 ms; killing it$/u);
  } finally {
    await supervision.stop(0, 2000);
    await running;
    process.argv.splice(1, 1, entry!);
    rmSync(folder, { recursive: true });
  }
}
