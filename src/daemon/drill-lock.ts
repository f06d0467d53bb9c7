/** One drill at a time on a node: who is at work, and how to reach it. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "./role-spawn.ts";

export interface DrillAtWork {
  readonly id: string;
  readonly drill: string;
  /** Of the conductor. */
  readonly pid: number;
  readonly guardPid?: number;
}

export interface DrillLock {
  /** Notes who the guard is, for who wants to stop the drill after its conductor has died. */
  tell(guardPid: number | undefined): void;
  release(): void;
}

const pathIn = (runDirectory: string): string => join(runDirectory, "drill.lock");

/** Undefined: nobody is at work. A conductor that died may have left its guard. */
export function drillAtWork(runDirectory: string): DrillAtWork | undefined {
  try {
    const found = JSON.parse(readFileSync(pathIn(runDirectory), "utf8")) as DrillAtWork;
    const { pid, guardPid } = found;
    return isAlive(pid) || (guardPid !== undefined && isAlive(guardPid)) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Throws when another drill is at work. */
export function holdLock(
  runDirectory: string,
  { id, drill }: Pick<DrillAtWork, "id" | "drill">,
): DrillLock {
  const path = pathIn(runDirectory);
  const other = drillAtWork(runDirectory);
  if (other !== undefined) throw new Error(`the drill '${other.drill}' is at work: one at a time`);
  rmSync(path, { force: true });
  const mine = { id, drill, pid: process.pid };
  // Of two that come at the same moment one finds the other's file.
  writeFileSync(path, JSON.stringify(mine), { flag: "wx", mode: 0o600 });
  return {
    tell: (guardPid) => writeFileSync(path, JSON.stringify({ ...mine, guardPid }), { mode: 0o600 }),
    release: () => rmSync(path, { force: true }),
  };
}

/** Who was told to stop; undefined: nobody was at work. */
export function stopDrill(runDirectory: string): DrillAtWork | undefined {
  const found = drillAtWork(runDirectory);
  if (found === undefined) return undefined;
  const { pid, guardPid } = found;
  process.kill(isAlive(pid) ? pid : guardPid!, "SIGTERM");
  return found;
}
