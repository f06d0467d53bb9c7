/** `startup_script` and `shutdown_script`: once, waited for, with a time limit. */

import type { LifecycleHook, ScriptSecurity } from "../config/model.ts";
import { describeEnd } from "../core/check/script-track.ts";
import { runScript } from "../drivers/script-runner.ts";

/** What went wrong, as the end of a sentence; undefined when it exited with 0. */
export function runHook(
  hook: LifecycleHook,
  security: ScriptSecurity,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const running = runScript(hook.command, security, ({ end }) => {
      clearTimeout(timer);
      resolve(end.kind === "exited" && end.code === 0 ? undefined : describeEnd(end));
    });
    const timer = setTimeout(() => running.kill("SIGKILL"), hook.timeoutMs);
  });
}
