/** `startup_script` and `shutdown_script`: once, waited for, with a time limit. */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { LifecycleHook, ScriptSecurity } from "../config/model.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What went wrong, as the end of a sentence; undefined when it exited with 0. */
export async function runHook(
  hook: LifecycleHook,
  security: ScriptSecurity,
): Promise<string | undefined> {
  const [file, ...rest] = hook.command.argv;
  if (file === undefined) return "is empty";
  const user = hook.command.user ?? security.user;
  const group = hook.command.group ?? security.group;
  const identity = user === undefined ? {} : identityOf(user, group);
  if (identity === undefined) return `names the user ${user} or group ${group} that do not exist`;
  const options = {
    cwd: "/",
    env: { PATH },
    detached: true,
    stdio: "ignore",
    ...identity,
  } as const;
  return new Promise((resolve) => {
    const child = spawn(file, rest, options);
    const timer = setTimeout(() => {
      // The whole group: what the script started must not stay behind.
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      resolve(`did not end within ${hook.timeoutMs} ms and was killed`);
    }, hook.timeoutMs);
    const end = (how: string | undefined): void => {
      clearTimeout(timer);
      resolve(how);
    };
    child.once("error", (error) => end(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => {
      end(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

/** passwd(5) and group(5) hold a name, two fields, and the number that we want. */
function identityOf(
  user: string,
  group: string | undefined,
): { uid: number; gid: number } | undefined {
  const account = fieldsOf("/etc/passwd", user);
  const uid = Number(account?.[2]);
  const gid = Number(group === undefined ? account?.[3] : fieldsOf("/etc/group", group)?.[2]);
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : undefined;
}

function fieldsOf(file: string, name: string): readonly string[] | undefined {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.find((line) => line.startsWith(`${name}:`))?.split(":");
}
