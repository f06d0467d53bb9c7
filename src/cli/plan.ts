/** `nines plan FILE`: what would change on the running system. */

import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Plan } from "../daemon/control-api.ts";
import type { ControlClient } from "../daemon/control-client.ts";
import { paint, type ExitCode, type Paint, type Terminal } from "./terminal.ts";

export interface PlanOptions {
  readonly file: string;
  readonly json: boolean;
}

/**
 * Where the node, which reads it itself, finds it too: /dev/stdin and <(…) are something else in every
 * process. Undefined: nowhere, and that was told.
 */
export function placeOf(file: string, terminal: Terminal): string | undefined {
  if (!isPassing(file)) return resolve(file);
  terminal.err(
    `nines: ${file} is no file on disk that the running node could read: write it to one`,
  );
  return undefined;
}

function isPassing(file: string): boolean {
  try {
    const facts = statSync(file);
    return !facts.isFile() && !facts.isDirectory();
  } catch {
    // The node tells what is wrong with it.
    return false;
  }
}

export async function plan(
  client: ControlClient,
  { file, json }: PlanOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const path = placeOf(file, terminal);
  if (path === undefined) return 2;
  const found = await client.plan(path);
  if (json) terminal.out(JSON.stringify(found, undefined, 2));
  else showPlan(found, terminal);
  return found.refused ? 2 : 0;
}

const COLORS: Readonly<Record<Plan["changes"][number]["effect"], Paint>> = {
  "in place": "green",
  "new connections only": "yellow",
  interrupts: "red",
};

export function showPlan({ refused, diagnostics, changes }: Plan, terminal: Terminal): void {
  for (const line of diagnostics) terminal.err(line);
  if (refused) {
    terminal.err("nothing would change: mend the file first");
    return;
  }
  for (const { subject, text, effect } of changes) {
    terminal.out(`${subject}: ${text}  ${paint(terminal, COLORS[effect], `(${effect})`)}`);
  }
  if (changes.length === 0) terminal.out("nothing would change");
}
