/**
 * Counts the processes that match each `vrrp_track_process`, in the pid namespace that this
 * process lives in, whatever network namespace it is in.
 *
 * Deaths come from pidfds, within a fraction of a millisecond. Births come from the kernel's
 * process events where there are any, else from looking into /proc: new pids at every look, all
 * pids once in a while, because a process changes its name after it was born. A look that is
 * expensive (many processes) makes the next one later, so that looking stays below 5 % of a CPU.
 */

import { readFileSync, readdirSync } from "node:fs";
import {
  matchesProcess,
  needsCommandLine,
  type ProcessFacts,
} from "../core/check/process-match.ts";
import type { ProcessSettings } from "../core/vrrp/settings.ts";
import { monotonicMs } from "./clock.ts";
import * as ffi from "./ffi.ts";
import { watchReadable, type Watch } from "./poll.ts";
import { openProcessConnector, type ProcessConnector } from "./process-connector.ts";

/** Pause between two looks, ms, and between two that look at every process again. */
const LOOK_EVERY_MS = 100;
const LOOK_AT_ALL_EVERY_MS = 1000;
/** With process events a look is only the safety net. */
const LOOK_WITH_EVENTS_EVERY_MS = 10_000;
/** A look may take one part in so many of the time. */
const SHARE_OF_TIME = 20;
/** Descriptors for watched processes. */
const MAX_WATCHED = 4096;

export interface ProcessCount {
  readonly name: string;
  readonly count: number;
  /** What made the difference: `process 4711 ended`. */
  readonly what: string;
}

export class ProcessWatch {
  readonly #onCount: (count: ProcessCount) => void;
  readonly #targets: readonly ProcessSettings[];
  readonly #wantsCommandLine: boolean;
  /** Watched processes and the names of the targets they match. */
  readonly #watched = new Map<number, { readonly names: readonly string[]; close(): void }>();
  readonly #counts = new Map<string, number>();
  #known = new Set<number>();
  #lookedAtAllMs = -Infinity;
  #telling = false;
  readonly #connector: ProcessConnector | ffi.OsFailure;
  #timer: NodeJS.Timeout | undefined;

  /** Reports every target once before it returns, then whenever a count changes. */
  constructor(targets: readonly ProcessSettings[], onCount: (count: ProcessCount) => void) {
    this.#targets = targets;
    this.#onCount = onCount;
    this.#wantsCommandLine = targets.some(needsCommandLine);
    for (const { name } of targets) this.#counts.set(name, 0);
    // Before the first look: a process born in between is then seen by either.
    this.#connector = openProcessConnector({
      changed: (pid) => this.#examine(pid, `process ${pid} started`),
      lost: () => this.#lookAtAll(),
    });
    this.#lookAtAll();
    // The totals, not the way to them: counting up would look like processes being started.
    this.#telling = true;
    for (const [name, count] of this.#counts) onCount({ name, count, what: "found at start" });
    this.#plan(LOOK_EVERY_MS);
  }

  /** Why births are looked for instead of being told; undefined when they are told. */
  get limitation(): string | undefined {
    return "errno" in this.#connector ? this.#connector.message : undefined;
  }

  close(): void {
    clearTimeout(this.#timer);
    if (!("errno" in this.#connector)) this.#connector.close();
    for (const watched of this.#watched.values()) watched.close();
    this.#watched.clear();
  }

  #plan(tookMs: number): void {
    const pauseMs = this.limitation === undefined ? LOOK_WITH_EVENTS_EVERY_MS : LOOK_EVERY_MS;
    this.#timer = setTimeout(
      () => {
        const startedMs = monotonicMs();
        this.#look(startedMs);
        this.#plan(monotonicMs() - startedMs);
      },
      Math.max(pauseMs, tookMs * SHARE_OF_TIME),
    );
  }

  #look(now: number): void {
    if (now - this.#lookedAtAllMs >= LOOK_AT_ALL_EVERY_MS) {
      this.#lookAtAll();
      return;
    }
    const pids = listPids();
    for (const pid of pids) {
      if (!this.#known.has(pid)) this.#examine(pid, `process ${pid} started`);
    }
    this.#known = pids;
  }

  #lookAtAll(): void {
    this.#lookedAtAllMs = monotonicMs();
    this.#known = listPids();
    for (const pid of this.#known) this.#examine(pid, `process ${pid} started`);
  }

  /** Compares one process with the targets and starts or ends its watch. */
  #examine(pid: number, what: string): void {
    const names = this.#matching(pid);
    const before = this.#watched.get(pid);
    if (before !== undefined) {
      if (before.names.join("\n") === names.join("\n")) return;
      this.#forget(pid, `process ${pid} is another program now`);
    }
    if (names.length === 0 || this.#watched.size >= MAX_WATCHED) return;
    const watch = watchDeath(pid, () => this.#forget(pid, `process ${pid} ended`));
    if (watch === undefined) return;
    // Only now the number is known to belong to what was looked at.
    if (this.#matching(pid).length === 0) {
      watch.close();
      return;
    }
    this.#watched.set(pid, { names, close: () => watch.close() });
    for (const name of names) this.#count(name, 1, what);
  }

  #forget(pid: number, what: string): void {
    const watched = this.#watched.get(pid);
    if (watched === undefined) return;
    this.#watched.delete(pid);
    this.#known.delete(pid);
    watched.close();
    for (const name of watched.names) this.#count(name, -1, what);
  }

  #count(name: string, difference: number, what: string): void {
    const count = (this.#counts.get(name) ?? 0) + difference;
    this.#counts.set(name, count);
    if (this.#telling) this.#onCount({ name, count, what });
  }

  #matching(pid: number): string[] {
    const facts = readFacts(pid, this.#wantsCommandLine);
    if (facts === undefined) return [];
    return this.#targets.filter((target) => matchesProcess(target, facts)).map(({ name }) => name);
  }
}

/** Undefined when the process is gone, or is a zombie, which runs nothing. */
function watchDeath(pid: number, onDeath: () => void): Watch | undefined {
  const fd = ffi.pidfdOpen(pid);
  if (fd < 0) return undefined;
  let open = true;
  const watch = watchReadable(fd, () => {
    if (open) onDeath();
  });
  return {
    close(): void {
      if (!open) return;
      open = false;
      watch.close();
      ffi.closeFd(fd);
    },
  };
}

function listPids(): Set<number> {
  const pids = new Set<number>();
  for (const name of readdirSync("/proc")) {
    const first = name.charCodeAt(0);
    if (first >= 0x31 && first <= 0x39) pids.add(Number(name));
  }
  return pids;
}

/** Undefined when the process is gone or was never a process (a thread, a zombie). */
function readFacts(pid: number, withCommandLine: boolean): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const nameEnd = stat.lastIndexOf(")");
    const state = stat[nameEnd + 2];
    if (state === "Z" || state === "X") return undefined;
    const name = stat.slice(stat.indexOf("(") + 1, nameEnd);
    if (!withCommandLine) return { name, argv: [] };
    const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return { name, argv: line === "" ? [] : line.replace(/\0$/, "").split("\0") };
  } catch {
    return undefined;
  }
}
