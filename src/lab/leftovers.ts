/** Nothing of a world outlives the process that built it, however that process ends. */
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { runToEnd } from "./command.ts";
import { NETNS_DIRECTORY } from "./host-boot.ts";
import { isAlive, pidsInNetworkNamespace, signal } from "./process-table.ts";

/** Directories of worlds are here: the same path inside a host, which has its own `/tmp`. */
export const WORLDS_DIRECTORY = "/var/tmp";

/** `nines-1234-0-client`, `nines-1234-0-x7Gh3k`: the number is the pid of the world's creator. */
const OF_A_WORLD = /^nines-(\d+)-/;

export interface Leftovers {
  readonly namespaces: readonly string[];
  readonly processes: readonly number[];
  readonly directories: readonly string[];
}

/**
 * Removes what worlds left behind whose creator was killed: their processes (by membership of
 * their namespaces), network namespaces and directories. Never touches a living creator's.
 */
export function sweepLeftovers(): Leftovers {
  const namespaces = deadIn(NETNS_DIRECTORY);
  const processes = endProcessesIn(namespaces);
  removeNamespaces(namespaces);
  const directories = deadIn(WORLDS_DIRECTORY)
    .map((name) => `${WORLDS_DIRECTORY}/${name}`)
    .filter(isOurs);
  for (const path of directories) removeDirectory(path);
  return { namespaces, processes, directories };
}

/** SIGKILL to everything in these network namespaces. Returns whom it hit. */
export function endProcessesIn(namespaces: readonly string[]): number[] {
  const pids = namespaces.flatMap((n) => pidsInNetworkNamespace(`${NETNS_DIRECTORY}/${n}`));
  return pids.filter((pid) => pid !== process.pid && signal(pid, "SIGKILL"));
}

export function removeNamespaces(namespaces: readonly string[]): void {
  const lines = namespaces.map((name) => `netns del ${name}\n`).join("");
  if (lines !== "") runToEnd(["ip", "-force", "-batch", "-"], lines);
}

export function removeDirectory(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // Somebody else's, or busy for a moment: the next sweep meets it again.
  }
}

interface Perishable {
  destroy(): void;
}

const living = new Set<Perishable>();
let isWatching = false;
const DEADLY: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** From now on `world` is destroyed when this process exits or is told to. */
export function destroyAtExit(world: Perishable): void {
  living.add(world);
  if (isWatching) return;
  // For good: a signal that comes while the last world is taken down must wait until that is done.
  isWatching = true;
  process.on("exit", destroyAll);
  for (const name of DEADLY) process.on(name, onSignal);
}

export function forget(world: Perishable): void {
  living.delete(world);
}

function destroyAll(): void {
  // A Set may lose members while it is walked; each `destroy` forgets its own.
  for (const world of living) world.destroy();
}

/** The program's own handler decides what comes next; without one, the signal does its work. */
function onSignal(name: NodeJS.Signals): void {
  const others = process.listenerCount(name) - 1;
  destroyAll();
  if (others > 0) return;
  process.off(name, onSignal);
  process.kill(process.pid, name);
}

/** Anybody may make a directory there; only those that we made are ours to remove. */
function isOurs(path: string): boolean {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  return facts?.isDirectory() === true && facts.uid === process.getuid?.();
}

function deadIn(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names.filter((name) => {
    const pid = OF_A_WORLD.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  });
}
