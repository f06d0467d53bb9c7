import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessSettings } from "../core/vrrp/settings.ts";
import type { Sleeper } from "./agenda.ts";
import { ProcessChecks } from "./check-role-processes.ts";
import type { FromCheck } from "./role-protocol.ts";

/** No other process has that name: 15 letters are all that the kernel keeps. */
const PROGRAM = `np${process.pid}`;
const LONG_MS = 3_600_000;

function tracked(name: string, process: string): ProcessSettings {
  return {
    name,
    process,
    parameters: [],
    parameterMatch: "none",
    fullCommand: false,
    quorum: 1,
    quorumMax: 4,
    weight: 0,
    reverse: false,
    forkDelayMs: 0,
    terminateDelayMs: LONG_MS,
  };
}

test("a delay that runs goes on when another block is edited; the edited one is judged anew", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nines-processes-"));
  const program = join(folder, PROGRAM);
  copyFileSync("/bin/sleep", program);
  const child = spawn(program, ["3600"], { stdio: "ignore" });
  await once(child, "spawn");
  const sleepers = new Set<Sleeper>();
  const told: string[] = [];
  const ports = {
    agenda: {
      add: (one: Sleeper) => void sleepers.add(one),
      delete: (one: Sleeper) => void sleepers.delete(one),
      settle: () => {},
    },
    link: {
      send: (message: FromCheck) => {
        if (message.type === "track-changed") told.push(`${message.name} ${message.ok}`);
        return true;
      },
      tell: () => {},
    },
  };
  const running = (): readonly number[] =>
    [...sleepers].map(({ deadline }) => deadline).filter((deadline) => deadline < Infinity);
  const first = new ProcessChecks([tracked("ours", PROGRAM), tracked("other", "none1")], ports);
  assert.deepEqual(told.splice(0), ["ours true", "other false"]);
  child.kill("SIGKILL");
  while (running().length === 0) await sleep(5);
  const before = running();
  first.close();
  assert.equal(sleepers.size, 0);
  const edited = [tracked("ours", PROGRAM), tracked("other", "none2")];
  const second = new ProcessChecks(edited, ports, first);
  assert.deepEqual(running(), before);
  assert.deepEqual(told, ["other false"]);
  second.close();
  rmSync(folder, { recursive: true });
});
