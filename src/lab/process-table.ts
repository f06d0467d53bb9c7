/** What /proc says about processes and the namespaces that they live in. */
import { basename, extname } from "node:path";
import { readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";

/** `undefined` when there is no such process (any more). */
export function stateOf(pid: number): string | undefined {
  const stat = readProc(`${pid}/stat`);
  // The name in parentheses may itself contain spaces and parentheses.
  return stat?.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
}

/** Neither gone nor a zombie that its parent has not yet collected. */
export function isAlive(pid: number): boolean {
  const state = stateOf(pid);
  return state !== undefined && state !== "Z" && state !== "X";
}

export function childrenOf(pid: number): number[] {
  const listed = readProc(`${pid}/task/${pid}/children`);
  // A kernel without CONFIG_PROC_CHILDREN makes us ask every process for its parent.
  if (listed === undefined) return allPids().filter((p) => parentOf(p) === pid);
  const ofThreads = threadsOf(pid).filter((t) => t !== pid);
  const texts = [listed, ...ofThreads.map((t) => readProc(`${pid}/task/${t}/children`) ?? "")];
  return texts.flatMap((text) => text.split(" ").filter(Boolean).map(Number));
}

/** The process and all that descend from it, children before their parents. */
export function treeOf(pid: number): number[] {
  return [...childrenOf(pid).flatMap(treeOf), pid];
}

/** Path of the program that the process runs now. */
export function programOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}

/** Its arguments, the program first; empty when it is gone. */
export function commandLineOf(pid: number): string[] {
  return readProc(`${pid}/cmdline`)?.split("\0").slice(0, -1) ?? [];
}

const INTERPRETERS: ReadonlySet<string> = new Set(["node", "sh", "bash", "python3", "perl"]);

/** What people call a program by its command line: `nines` is what `node --flag nines.ts run` runs. */
export function programNames([program = "", ...words]: readonly string[]): readonly string[] {
  const name = basename(program);
  const script = INTERPRETERS.has(name) && words.find((word) => !word.startsWith("-"));
  if (typeof script !== "string") return [name];
  return [name, basename(script), basename(script, extname(script))];
}

/** Number of the process inside its own (innermost) PID namespace. */
export function innerPidOf(pid: number): number | undefined {
  const line = /^NSpid:\s+(.*)$/m.exec(readProc(`${pid}/status`) ?? "")?.[1];
  const last = line?.split(/\s+/).at(-1);
  return last === undefined ? undefined : Number(last);
}

/** Every process that lives in the network namespace that is bound to `path`. */
export function pidsInNetworkNamespace(path: string): number[] {
  let inode: number;
  try {
    inode = statSync(path).ino;
  } catch {
    return [];
  }
  const name = `net:[${inode}]`;
  return allPids().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/net`) === name;
    } catch {
      return false;
    }
  });
}

/** Sends a signal; false when the process was gone already. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

function threadsOf(pid: number): number[] {
  return numbersIn(`/proc/${pid}/task`);
}

function allPids(): number[] {
  return numbersIn("/proc");
}

function numbersIn(directory: string): number[] {
  try {
    return readdirSync(directory)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

export function parentOf(pid: number): number | undefined {
  const stat = readProc(`${pid}/stat`);
  if (stat === undefined) return undefined;
  return Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ")[0]);
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return undefined;
  }
}
