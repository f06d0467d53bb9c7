/** Users and groups as this system knows them: /etc/passwd and /etc/group, then getent(1). */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { DEFAULT_SCRIPT_USER } from "../core/check/script-security.ts";

export interface ScriptUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** Directory services may be slow, but not for ever. */
const GETENT_TIMEOUT_MS = 3000;

/**
 * The user that a script runs as: the one named, else `keepalived_script` if there is one, else
 * the user of this process. A text says what is wrong (unknown user or group).
 */
export function scriptUser(user?: string, group?: string): ScriptUser | string {
  const found = user === undefined ? defaultUser() : findUser(user);
  if (found === undefined) return `user ${user} does not exist; create it or correct script_user`;
  if (group === undefined) return found;
  const gid = findGroup(group);
  if (gid === undefined) return `group ${group} does not exist; create it or correct the name`;
  return { ...found, gid };
}

function defaultUser(): ScriptUser {
  // Not through getent: most systems do not have this user, and a directory would be asked.
  const special = userOf(entryOf("/etc/passwd", DEFAULT_SCRIPT_USER, 0));
  if (special !== undefined) return special;
  const uid = process.geteuid?.() ?? 0;
  const own = userOf(entryOf("/etc/passwd", String(uid), 2));
  const gid = process.getegid?.() ?? 0;
  return own ?? { name: String(uid), uid, gid, home: "/", shell: "/bin/sh" };
}

/** By name or number. */
export function findUser(user: string): ScriptUser | undefined {
  const entry =
    entryOf("/etc/passwd", user, 0) ?? entryOf("/etc/passwd", user, 2) ?? askGetent("passwd", user);
  return userOf(entry);
}

export function findGroup(group: string): number | undefined {
  const entry =
    entryOf("/etc/group", group, 0) ?? entryOf("/etc/group", group, 2) ?? askGetent("group", group);
  const gid = Number(entry?.[2] ?? Number.NaN);
  return Number.isInteger(gid) ? gid : undefined;
}

function userOf(entry: readonly string[] | undefined): ScriptUser | undefined {
  const [name, , uid, gid, , home, shell] = entry ?? [];
  if (name === undefined || uid === undefined || gid === undefined) return undefined;
  const numbers = { uid: Number(uid), gid: Number(gid) };
  return { name, ...numbers, home: home || "/", shell: shell || "/bin/sh" };
}

function entryOf(path: string, key: string, field: number): readonly string[] | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  for (const line of text.split("\n")) {
    const fields = line.split(":");
    if (fields[field] === key) return fields;
  }
  return undefined;
}

function askGetent(database: string, key: string): readonly string[] | undefined {
  if (key.startsWith("-")) return undefined;
  const asked = spawnSync("getent", [database, key], {
    encoding: "utf8",
    timeout: GETENT_TIMEOUT_MS,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return asked.status === 0 ? asked.stdout.trim().split(":") : undefined;
}
