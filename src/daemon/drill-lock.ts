/** One drill at a time on a node: who is at work, and how to reach it. */

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
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
  return atWorkBy(pathIn(runDirectory));
}

function atWorkBy(path: string): DrillAtWork | undefined {
  try {
    const found = JSON.parse(readFileSync(path, "utf8")) as DrillAtWork;
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
  const own = `${path}.${id}`;
  const mine = { id, drill, pid: process.pid };
  // Written first and named then: nobody reads half of it and takes us for dead.
  const write = (guardPid?: number): void =>
    writeFileSync(own, JSON.stringify({ ...mine, guardPid }), { mode: 0o600 });
  write();
  try {
    while (!named(own, path)) putAway(path, `${own}.old`);
  } finally {
    rmSync(own, { force: true });
  }
  return {
    tell: (guardPid) => {
      write(guardPid);
      renameSync(own, path);
    },
    release: () => rmSync(path, { force: true }),
  };
}

/** False: somebody's file is there. */
function named(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** What a dead one has left; throws when it is at work. */
function putAway(path: string, aside: string): void {
  refuseBeside(atWorkBy(path));
  try {
    renameSync(path, aside);
  } catch {
    return; // another one was quicker
  }
  // Of two that found the dead one's file, the slower has moved the other's.
  const other = atWorkBy(aside);
  if (other !== undefined) named(aside, path);
  rmSync(aside, { force: true });
  refuseBeside(other);
}

function refuseBeside(other: DrillAtWork | undefined): void {
  if (other !== undefined) throw new Error(`the drill '${other.drill}' is at work: one at a time`);
}

/** Who was told to stop; undefined: nobody was at work. */
export function stopDrill(runDirectory: string): DrillAtWork | undefined {
  const found = drillAtWork(runDirectory);
  if (found === undefined) return undefined;
  const { pid, guardPid } = found;
  process.kill(isAlive(pid) ? pid : guardPid!, "SIGTERM");
  return found;
}
