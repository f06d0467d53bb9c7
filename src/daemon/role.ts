/** Entry of the processes that `nines run` starts: `nines role vrrp|check|spare --run-dir DIR …`. */

import { assert } from "../lib/assert.ts";
import { recordRole, renameRole } from "./role-spawn.ts";
import { runDirectory } from "./run-directory.ts";
import { isCalled } from "./spare-role.ts";

export async function runRole(role: string, words: readonly string[]): Promise<void> {
  const directory = runDirectory(option(words, "--run-dir"));
  const stateDirectory = option(words, "--state-dir");
  // Whoever read our standard error may be gone; that is no reason to die.
  process.stderr.on("error", () => {});
  process.stdout.on("error", () => {});
  assert(role === "vrrp" || role === "check" || role === "spare", `no such role: ${role}`);
  if (role === "spare") {
    // Loaded before it is called: that is what it is for.
    const { runVrrpRole } = await import("./vrrp-role.ts");
    const { warmUp } = await import("../drivers/warm-up.ts");
    warmUp();
    if (!(await isCalled())) return;
    renameRole("spare", "vrrp");
    recordRole("vrrp", directory.path);
    await runVrrpRole(directory);
    return;
  }
  recordRole(role, directory.path);
  if (role === "vrrp") {
    const { runVrrpRole } = await import("./vrrp-role.ts");
    await runVrrpRole(directory);
  } else {
    const { runCheckRole } = await import("./check-role.ts");
    await runCheckRole(directory, stateDirectory);
  }
}

function option(words: readonly string[], name: string): string {
  const value = words[words.indexOf(name) + 1];
  assert(words.includes(name) && value !== undefined, `a role is started with ${name}`);
  return value;
}
