/**
 * The watchdog of a drill: a process of its own, in its own session, that takes the fault back when
 * its conductor dies, hangs or takes too long. Usage: `nines drill-guard UNDO-FILE`; it says `armed`, reads
 * `beat` and `undo` lines, and ends with `undone {"problems":[…]}`.
 */

import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { Guard, type GuardInput } from "../core/drill/guard.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { appendLine, readUndo, removeUndo, type UndoFile } from "../drivers/drill-files.ts";
import { runCommand } from "../drivers/run-command.ts";

const COMMAND_WITHIN_MS = 20_000;
const ATTEMPTS = 3;

/** Resolves when everything has been undone. */
export async function runGuard(path: string): Promise<void> {
  const file = readUndo(path);
  // A terminal that closes ends its programs; this one has work to do.
  for (const name of ["SIGHUP", "SIGINT", "SIGPIPE"] as const) process.on(name, () => {});
  process.stdout.removeAllListeners("error").on("error", () => {});
  const reason = await untilDue(file);
  const problems = await undoAll(path, file, reason);
  await say(`undone ${JSON.stringify({ problems, reason })}`);
  process.exit(problems.length === 0 ? 0 : 1);
}

/** Runs every undo, tells the record, and forgets the file when nothing is left to do. */
export async function undoAll(
  path: string,
  { undo, id, drill, stateDirectory }: UndoFile,
  reason: string,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const argv of undo) {
    const trouble = await undoOne(argv);
    if (trouble !== undefined) problems.push(trouble);
  }
  if (problems.length === 0) removeUndo(path);
  const count = `${undo.length} ${undo.length === 1 ? "command" : "commands"}`;
  const left = problems.length === 0 ? "" : `; left: ${problems.join("; ")}`;
  const text = `${reason}: undone by ${count}${left}`;
  // A world of the lab that is gone must not get its directory back.
  if (existsSync(stateDirectory)) {
    appendLine(stateDirectory, { wallMs: wallMs(), kind: "drill-undone", id, drill, reason: text });
  }
  return problems;
}

/** An undo that fails is tried again: there is nobody else who would do it. */
async function undoOne(argv: readonly string[]): Promise<string | undefined> {
  let trouble = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const ran = await runCommand(argv, COMMAND_WITHIN_MS);
    if (ran.ok) return undefined;
    ({ trouble } = ran);
  }
  return trouble;
}

function untilDue(settings: UndoFile): Promise<string> {
  return new Promise((resolve) => {
    const guard = new Guard(settings, monotonicMs());
    let timer: NodeJS.Timeout | undefined;
    const step = (input: GuardInput): void => {
      const order = guard.step(monotonicMs(), input);
      clearTimeout(timer);
      if (order !== undefined) resolve(order.reason);
      // Nothing is waited for any more.
      if (guard.deadline === Infinity) return;
      // A timer that is early by a fraction of a millisecond would find nothing due.
      const waitMs = Math.max(1, Math.ceil(guard.deadline - monotonicMs()));
      timer = setTimeout(() => step({ type: "woken" }), waitMs);
    };
    const lines = createInterface({ input: process.stdin });
    lines.on("line", (line) => step({ type: line === "undo" ? "undo-asked" : "beat" }));
    lines.once("close", () => step({ type: "conductor-gone" }));
    process.on("SIGTERM", () => step({ type: "stop-asked" }));
    step({ type: "beat" });
    void say("armed");
  });
}

/** Who does not listen any more must not stop us. */
function say(line: string): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, SAY_WITHIN_MS).unref();
    process.stdout.write(`${line}\n`, () => resolve());
  });
}

const SAY_WITHIN_MS = 1000;
