/**
 * Children of the program that this process was before it became another one: Node does not know them,
 * so nobody would collect them when they end, and they would stay in the process table.
 */

import { readFileSync } from "node:fs";
import * as ffi from "./ffi.ts";

/** Before this program has children of its own: those are Node's to collect. */
export function collectInheritedChildren(): void {
  const inherited = childrenNow();
  if (inherited.size === 0) return;
  const collect = (): void => {
    for (const pid of inherited) if (ffi.collectChild(pid) !== 0) inherited.delete(pid);
    if (inherited.size === 0) process.off("SIGCHLD", collect);
  };
  process.on("SIGCHLD", collect);
  // Some may have ended in between.
  collect();
}

function childrenNow(): Set<number> {
  try {
    const text = readFileSync(`/proc/self/task/${process.pid}/children`, "latin1");
    return new Set(text.split(" ").filter(Boolean).map(Number));
  } catch {
    // A kernel without this file: they wait until this process ends.
    return new Set();
  }
}
