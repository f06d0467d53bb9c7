/** Gathers what `src/core/check/script-security.ts` judges. */

import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { dirname, isAbsolute, join, parse, sep } from "node:path";
import {
  judgeScript,
  SCRIPT_PATH,
  type PathFact,
  type ScriptFacts,
  type ScriptProblem,
} from "../core/check/script-security.ts";
import type { NotifyCommand } from "../core/vrrp/settings.ts";
import { scriptUser } from "./user-database.ts";

/** As the kernel: more links than this are a loop. */
const MAX_LINKS = 40;

/**
 * What is wrong with the command, if anything: its user, its file, its safety. `defaults` are
 * `script_user`'s. Interpreters are judged like any program; what they are given to read is not.
 */
export function checkScript(
  command: NotifyCommand,
  defaults: { readonly user?: string; readonly group?: string },
): ScriptProblem | undefined {
  const script = command.argv[0] ?? "";
  const named = command.user === undefined ? defaults : command;
  const user = scriptUser(named.user, named.group);
  if (typeof user === "string") return { kind: "missing", reason: `script ${script}: ${user}` };
  const { name, uid, gid } = user;
  return judgeScript({ script, ...pathFacts(script), user: name, uid, gid });
}

/** Every component of the path, links followed and counted as components of their own. */
export function pathFacts(script: string): Pick<ScriptFacts, "components" | "missing"> {
  const path = locate(script);
  if (path === undefined) return { components: [], missing: `is not in ${SCRIPT_PATH}` };
  const components: PathFact[] = [];
  let done = parse(path).root;
  let rest = path.split(sep).filter((part) => part !== "");
  let links = 0;
  try {
    components.push(factOf(done, lstatSync(done)));
    for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
      const next = part === ".." ? dirname(done) : join(done, part);
      const stats = lstatSync(next);
      if (!stats.isSymbolicLink()) {
        components.push(factOf(next, stats));
        done = next;
        continue;
      }
      if (++links > MAX_LINKS) return { components, missing: "is a loop of links" };
      const target = readlinkSync(next);
      rest = [...target.split(sep).filter((word) => word !== "" && word !== "."), ...rest];
      if (isAbsolute(target)) done = parse(target).root;
    }
    return { components };
  } catch (error) {
    return { components, missing: whyMissing((error as NodeJS.ErrnoException).code) };
  }
}

function whyMissing(code: string | undefined): string {
  if (code === "ENOENT") return "does not exist";
  if (code === "ENOTDIR") return "has a file where a directory should be";
  return `cannot be looked at (${code ?? "unknown error"})`;
}

function locate(script: string): string | undefined {
  if (script.includes("/")) return isAbsolute(script) ? script : join("/", script);
  for (const directory of SCRIPT_PATH.split(":")) {
    const candidate = join(directory, script);
    if (lstatSync(candidate, { throwIfNoEntry: false }) !== undefined) return candidate;
  }
  return undefined;
}

function factOf(path: string, stats: Stats): PathFact {
  const kind = stats.isDirectory() ? "directory" : stats.isFile() ? "file" : "other";
  return { path, kind, uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o7777 };
}
