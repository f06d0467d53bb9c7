/**
 * Everything that a script started. A process group alone is not enough: a shell with job
 * control gives every background job a group of its own, and setsid(1) leaves both group and
 * session. So a family is the session of the script plus all descendants seen while their
 * parents lived. A program that made itself a daemon before we looked is no longer family,
 * which is what scripts that revive a service rely on.
 */

import { readFileSync, readdirSync } from "node:fs";

/** Scans until nothing new appears; a fork bomb is cut off after so many rounds. */
const MAX_ROUNDS = 10;

interface ProcessEntry {
  readonly parent: number;
  readonly session: number;
  readonly group: number;
  readonly zombie: boolean;
  /** Clock ticks since boot: with the pid, who it is. */
  readonly startTime: number;
}

export class ProcessFamily {
  readonly #leader: number;
  /** pid to start time, also of those that left the session. */
  readonly #members = new Map<number, number>();

  /** `leader` leads its own session. */
  constructor(leader: number) {
    this.#leader = leader;
  }

  /**
   * Sends the signal to every member; returns how many there were. With SIGKILL it looks again
   * until none is left, because a member may fork while it is being looked for.
   */
  signal(signal: "SIGTERM" | "SIGKILL"): number {
    let total = 0;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const table = readProcessTable();
      if (table === undefined) {
        // No descriptor is left to look with: those that stayed in its group at least.
        sendSignal(-this.#leader, signal);
        return 1;
      }
      const pids = this.#living(table);
      for (const pid of pids) sendSignal(pid, signal);
      total += pids.length;
      if (pids.length === 0 || signal === "SIGTERM") break;
    }
    return total;
  }

  #living(table: ReadonlyMap<number, ProcessEntry>): number[] {
    for (const [pid, startTime] of this.#members) {
      if (table.get(pid)?.startTime !== startTime) this.#members.delete(pid);
    }
    for (const [pid, entry] of table) {
      // The kernel keeps a session's number from being used anew while it has members.
      if (entry.session === this.#leader || entry.group === this.#leader) {
        this.#members.set(pid, entry.startTime);
      }
    }
    for (let grown = true; grown;) {
      grown = false;
      for (const [pid, entry] of table) {
        if (this.#members.has(pid) || !this.#members.has(entry.parent)) continue;
        this.#members.set(pid, entry.startTime);
        grown = true;
      }
    }
    return [...this.#members.keys()].filter((pid) => table.get(pid)?.zombie === false);
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone in the meantime, which is what was wanted.
  }
}

function readProcessTable(): Map<number, ProcessEntry> | undefined {
  const table = new Map<number, ProcessEntry>();
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return undefined;
  }
  for (const name of names) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const entry = readProcessEntry(pid);
    if (entry !== undefined) table.set(pid, entry);
  }
  return table;
}

function readProcessEntry(pid: number): ProcessEntry | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // proc(5): the name in parentheses may hold anything, also parentheses and blanks.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return {
      zombie: fields[0] === "Z" || fields[0] === "X",
      parent: Number(fields[1]),
      group: Number(fields[2]),
      session: Number(fields[3]),
      startTime: Number(fields[19]),
    };
  } catch {
    return undefined;
  }
}
