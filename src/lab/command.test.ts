import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CommandFailed, run } from "./command.ts";
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
