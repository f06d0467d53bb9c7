/**
 * The control process becomes the program that is on disk now, under the same process number: the
 * service manager notices nothing, and the other roles are taken over as after a crash.
 */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { assert } from "../lib/assert.ts";

const TRY_WITHIN_MS = 10_000;

/** Node's own words and the entry file; what follows is ours. */
function program(): readonly string[] {
  const [, entry] = process.argv;
  assert(entry !== undefined, "a process started by node knows its entry file");
  return [...process.execArgv, entry];
}

/** The version on disk, or why it cannot even tell that. */
export async function versionOnDisk(): Promise<{ version: string } | { error: string }> {
  const words = [...program(), "--version"];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, words, {
      timeout: TRY_WITHIN_MS,
    });
    return { version: stdout.trim() };
  } catch (error) {
    const [line = ""] = String((error as { stderr?: string }).stderr ?? error).split("\n");
    return { error: `the program on disk does not start: ${line}` };
  }
}

/** What this process was started as: the program, then its words. */
export function ownCommand(): readonly [string, ...string[]] {
  return [process.execPath, ...program(), ...process.argv.slice(2)];
}

/** Does not come back. Descriptors of this life are closed by the kernel. */
export function becomeProgramOnDisk(): void {
  process.execve?.(process.execPath, [...ownCommand()]);
  throw new Error("this Node cannot become another program");
}
