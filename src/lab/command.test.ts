import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CommandFailed, run, runToEnd } from "./command.ts";
import { waitFor } from "./wait.ts";

/** A process that has ended may still wait for its parent. */
function lives(pid: number): boolean {
  try {
    return !/^State:\sZ/mu.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("a command that is too late is killed together with everything that it started", async () => {
  const line = "sleep 60 & echo $!; wait";
  const failed = await run(["sh", "-c", line], { timeoutMs: 300 }).then(
    () => assert.fail("it waits for a minute"),
    (error: unknown) => error as CommandFailed,
  );
  assert.ok(failed instanceof CommandFailed);
  assert.equal(failed.status, "SIGKILL");
  const pid = Number(failed.stdout);
  assert.ok(pid > 1);
  await waitFor(() => Promise.resolve(!lives(pid)), 5000, "its child to end");
});

test("what must run to its end is not in the group that a terminal's Ctrl-C goes to", () => {
  const groupOf = (stat: string): string => stat.slice(stat.lastIndexOf(")")).split(" ")[3] ?? "";
  const said = runToEnd(["sh", "-c", "cat /proc/self/stat >&2"]);
  assert.match(groupOf(said), /^\d+$/u);
  assert.notEqual(groupOf(said), groupOf(readFileSync("/proc/self/stat", "utf8")));
});
