/** Runs a program to its end, with a bound on time and on what it may say. */

import { spawn } from "node:child_process";

/** Debian keeps administrators' programs where a user's PATH does not look. */
const SEARCH_PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin`;
const MAX_OUTPUT = 1 << 20;

export interface Ran {
  readonly ok: boolean;
  readonly stdout: string;
  /** Why not: its own last words, or how it ended. Empty when `ok`. */
  readonly trouble: string;
}

/** Never rejects. After `withinMs` it is killed, and that is its trouble. */
export function runCommand(argv: readonly string[], withinMs: number): Promise<Ran> {
  const [file = "", ...words] = argv;
  return new Promise((resolve) => {
    const env = { ...process.env, PATH: SEARCH_PATH };
    const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
    // Its own group: a wrapper that is killed would leave the program behind.
    const child = spawn(file, words, { stdio, env, detached: true });
    const timer = setTimeout(() => killGroup(child.pid), withinMs);
    let [stdout, stderr] = ["", ""];
    const more = (text: string, chunk: string): string => (text + chunk).slice(0, MAX_OUTPUT);
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout = more(stdout, chunk)));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr = more(stderr, chunk)));
    child.once("error", (error) => {
      clearTimeout(timer);
      resolve({ ok: false, stdout, trouble: error.message });
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const said = stderr.trim() || stdout.trim();
      const how = signal === null ? `ended with ${code}` : `was ended by ${signal}`;
      const trouble = code === 0 ? "" : `\`${argv.join(" ")}\` ${how}: ${said}`;
      resolve({ ok: code === 0, stdout, trouble });
    });
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended at this very moment.
  }
}
