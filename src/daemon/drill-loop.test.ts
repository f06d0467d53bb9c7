/** The commands of drills that go on by themselves, run by a real shell. */

import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { facts } from "../../test/kit/drill-facts.ts";
import { drillKind } from "../core/drill/catalogue/catalogue.ts";
import { planFor } from "../core/drill/catalogue/drill-kind.ts";
import type { Command } from "../core/drill/plan.ts";
import { runCommand } from "../drivers/run-command.ts";

const directory = mkdtempSync(join(tmpdir(), "drill-loop-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const at = (name: string): string => join(directory, name);

/** A disk that has much to write before it is frozen. */
const FSFREEZE = `#!/bin/sh
cd ${directory}
case $1 in
-f) : > syncing; /bin/sleep 0.3; : > frozen; : > was-frozen;;
-u) rm frozen;;
esac`;

test("a disk that is being frozen when the drill is undone does not stay frozen", async () => {
  const bin = mkdtempSync(at("bin-"));
  writeFileSync(join(bin, "fsfreeze"), FSFREEZE);
  chmodSync(join(bin, "fsfreeze"), 0o755);
  const runDirectory = mkdtempSync(at("run-"));
  const plan = planFor(drillKind("disk-slow")!, { ...facts, runDirectory, ownDisk: true });
  assert.ok(typeof plan !== "string");
  const [fault] = plan.faults;
  const perform = async (commands: readonly Command[]): Promise<void> => {
    for (const { argv } of commands) {
      const ran = await runCommand(["env", `PATH=${bin}:/usr/bin:/bin`, ...argv], 20_000);
      assert.ok(ran.ok, ran.trouble);
    }
  };
  await perform(fault!.inject);
  while (!existsSync(at("syncing"))) await sleep(5);
  await perform(fault!.undo);
  while (!existsSync(at("was-frozen"))) await sleep(5);
  assert.equal(existsSync(at("frozen")), false);
  assert.deepEqual(readdirSync(runDirectory), []);
  // A second time, and where nothing is to be undone, it does no harm.
  await perform(fault!.undo);
});
