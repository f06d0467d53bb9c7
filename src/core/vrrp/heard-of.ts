/** Whose doing a change of state is: for whoever tells what happened on several machines in order. */

import type { Instance } from "./instance.ts";
import type { RouterEvent } from "./router-ports.ts";

/** Ours comes with it, so that what others say of us can be found. */
export function heardOf(
  instance: Instance,
  now: number,
): Pick<RouterEvent, "peer" | "cause" | "silentMs" | "address"> {
  const { state, master, effectivePriority, sourceText } = instance;
  const ours = sourceText === "" ? {} : { address: sourceText };
  if (master === undefined) return ours;
  const { address: peer, priority, heardAtMs } = master;
  if (state.kind === "BACKUP") {
    // Yielding is the answer to what was heard just now.
    return heardAtMs === now ? { ...ours, peer, cause: "outranked" } : ours;
  }
  if (state.kind !== "MASTER") return ours;
  if (priority === 0) return { ...ours, peer, cause: "resigned" };
  // A master of a lower priority that was left in charge (no preemption) and died is no lower one.
  const isLower =
    state.awaited === undefined ? priority < effectivePriority : state.awaited === "lower";
  if (isLower) return { ...ours, peer, cause: "lower" };
  return { ...ours, peer, cause: "silent", silentMs: Math.round(now - heardAtMs) };
}
