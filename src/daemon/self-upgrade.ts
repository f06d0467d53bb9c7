/**
 * The control process becomes the program that is on disk now, under the same process number: the
 * service manager notices nothing, and the other roles are taken over as after a crash.
 */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { assert } from "../lib/assert.ts";
import { firstMistake } from "./load-configuration.ts";

const TRY_WITHIN_MS = 10_000;

/** Node's own words and the entry file; what follows is ours. */
function program(): readonly string[] {
  const [, entry] = process.argv;
  assert(entry !== undefined, "a process started by node knows its entry file");
  return [...process.execArgv, entry];
}

/** The version on disk, or why this process cannot become it. */
export async function versionOnDisk(): Promise<{ version: string } | { error: string }> {
  const words = [...program(), "--version"];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, words, {
      timeout: TRY_WITHIN_MS,
    });
    const refusal = await refusalOnDisk();
    return refusal === undefined ? { version: stdout.trim() } : { error: refusal };
  } catch (error) {
    const [line = ""] = String((error as { stderr?: string }).stderr ?? error).split("\n");
    return { error: `the program on disk does not start: ${line}` };
  }
}

/**
 * What the program on disk would not start with: a configuration that was edited and has mistakes, or
 * that it understands otherwise. Then this process lives on.
 */
export async function refusalOnDisk(
  [node, ...words]: readonly [string, ...string[]] = ownCommand(),
): Promise<string | undefined> {
  // Other commands have no file.
  if (!words.includes("run")) return undefined;
  try {
    await promisify(execFile)(node, [...words, "--config-test"], { timeout: TRY_WITHIN_MS });
    return undefined;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => line !== "");
    const first = firstMistake(lines) ?? String(error);
    return `the program on disk would not start with this configuration: ${first}`;
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
