/** Takes back what drills left behind that nobody ended: a reboot ends conductor and guard alike. */

import { drillAtWork } from "./drill-lock.ts";
import { undoAll } from "./drill-guard.ts";
import { pendingUndos, readUndo } from "../drivers/drill-files.ts";

/** Sentences for the operator; empty: nothing was left. Never rejects. */
export async function undoLeftovers(
  stateDirectory: string,
  runDirectory: string,
): Promise<readonly string[]> {
  const paths = pendingUndos(stateDirectory);
  // A drill that kills Nines and starts it again is no leftover.
  if (paths.length === 0 || drillAtWork(runDirectory) !== undefined) return [];
  // Nines starts at this moment: an undo that would start it has nothing to do.
  process.env["NINES_STARTING"] = "1";
  const told: string[] = [];
  for (const path of paths) {
    try {
      const file = readUndo(path);
      const problems = await undoAll(path, file, "found at the start of Nines");
      const how = problems.length === 0 ? "taken back" : `not taken back: ${problems.join("; ")}`;
      told.push(`the drill '${file.drill}' had not ended: ${how}`);
    } catch (error) {
      told.push(`${path} cannot be read: ${(error as Error).message}`);
    }
  }
  delete process.env["NINES_STARTING"];
  return told;
}
