/** A helper of a drill that goes on after the command that started it. */

import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";

const READY = "ready";
const IN_BACKGROUND = "NINES_DRILL_HELPER";
const START_WITHIN_MS = 8000;

/**
 * Runs `work` in a process of its own, whose number stands in `pidFile`. Resolves in the caller when
 * `work` has resolved there, rejects with what went wrong there.
 */
export async function inBackground(pidFile: string, work: () => Promise<void>): Promise<void> {
  if (process.env[IN_BACKGROUND] === undefined) return start(pidFile);
  await work();
  process.stdout.write(READY);
  // Who has something to finish first says so.
  if (process.listenerCount("SIGTERM") === 0) process.on("SIGTERM", () => process.exit(0));
  // Whoever waited for that word has what it wanted; keep alive without it.
  process.stdout.on("error", () => {});
  await new Promise(() => setInterval(() => {}, 1 << 30));
}

function start(pidFile: string): Promise<void> {
  const [file, ...words] = process.argv;
  const env = { ...process.env, [IN_BACKGROUND]: "1" };
  const child = spawn(file!, [...process.execArgv, ...words], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env,
  });
  writeFileSync(pidFile, `${child.pid}\n`);
  return new Promise((resolve, reject) => {
    let complaint = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), START_WITHIN_MS);
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
    child.stdout.once("data", () => {
      clearTimeout(timer);
      child.unref();
      child.stdout.destroy();
      child.stderr.destroy();
      resolve();
    });
    child.once("close", () => {
      clearTimeout(timer);
      rmSync(pidFile, { force: true });
      reject(new Error(`the helper could not start: ${complaint.trim()}`));
    });
  });
}
