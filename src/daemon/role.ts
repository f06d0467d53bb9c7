/** Entry of the processes that `nines run` starts: `nines role vrrp|check|balance|spare|trial-guard --run-dir DIR`. */

import { flushCompileCache } from "node:module";
import { assert } from "../lib/assert.ts";
import { recordRole, renameRole } from "./role-spawn.ts";
import { runDirectory, type RunDirectory } from "./run-directory.ts";
import { untilCalled } from "./spare-role.ts";

/** A spare that was called says so when it has gone on in the lease. */
const CALLED_AGO_MS = 20;

/** For a role whose code is in a layer above: what every role begins with. */
export function beginRole(role: "console", words: readonly string[]): RolePlaces {
  const places = begin(words);
  noteRole(role, places.directory.path);
  return places;
}

export async function runRole(role: string, words: readonly string[]): Promise<void> {
  const { directory, stateDirectory } = begin(words);
  if (role === "trial-guard") {
    const { runTrialGuard } = await import("./trial-guard.ts");
    return runTrialGuard(directory.trialGuard, stateDirectory);
  }
  if (role === "balance") {
    const serial = Number(option(words, "--serial"));
    assert(Number.isSafeInteger(serial), "a balance worker is started with a number");
    noteRole(`balance-${serial}`, directory.path);
    const { runBalanceRole } = await import("./balance-role.ts");
    keepCompiledCode();
    await runBalanceRole({ directory, serial });
    return;
  }
  assert(role === "vrrp" || role === "check" || role === "spare", `no such role: ${role}`);
  if (role === "spare") {
    // Loaded before it is called: that is what it is for.
    const { reserveVrrpRole } = await import("./vrrp-role.ts");
    const { warmUp } = await import("../drivers/warm-up.ts");
    const { rehearseSuccession } = await import("./succession-rehearsal.ts");
    warmUp();
    keepCompiledCode();
    const begin = await reserveVrrpRole(directory);
    noteRole("spare", directory.path);
    const call = await untilCalled(({ model }) => rehearseSuccession(directory.path, model.vrrp));
    if (call === undefined) process.exit(0);
    await begin(call.configuration);
    // After all that is urgent.
    setTimeout(() => {
      noteRole("vrrp", directory.path);
      renameRole("spare", "vrrp");
    }, CALLED_AGO_MS);
    return;
  }
  noteRole(role, directory.path);
  if (role === "vrrp") {
    const { runVrrpRole } = await import("./vrrp-role.ts");
    keepCompiledCode();
    await runVrrpRole(directory);
  } else {
    const { runCheckRole } = await import("./check-role.ts");
    keepCompiledCode();
    await runCheckRole(directory, stateDirectory);
  }
}

export interface RolePlaces {
  readonly directory: RunDirectory;
  readonly stateDirectory: string;
}

function begin(words: readonly string[]): RolePlaces {
  // Whoever read our standard error may be gone; that is no reason to die.
  process.stderr.on("error", () => {});
  process.stdout.on("error", () => {});
  return {
    directory: runDirectory(option(words, "--run-dir")),
    stateDirectory: option(words, "--state-dir"),
  };
}

/**
 * A role that died must be back within a fraction of an advert interval, and one that loads what
 * was compiled before needs 28 MB less. Node would write it at the exit only, and roles are killed.
 * Now, before anything depends on this process; where nothing is new, nothing is written.
 */
function keepCompiledCode(): void {
  flushCompileCache();
}

function option(words: readonly string[], name: string): string {
  const value = words[words.indexOf(name) + 1];
  assert(words.includes(name) && value !== undefined, `a role is started with ${name}`);
  return value;
}

/** On a full disk, better a role that cannot be found when it hangs than no role. */
function noteRole(role: Parameters<typeof recordRole>[0], directory: string): void {
  try {
    recordRole(role, directory);
  } catch (error) {
    process.stderr.write(`nines: the ${role} process cannot record itself: ${String(error)}\n`);
  }
}
