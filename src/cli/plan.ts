/** `nines plan FILE`: what would change on the running system. */

import { resolve } from "node:path";
import type { Plan } from "../daemon/control-api.ts";
import type { ControlClient } from "../daemon/control-client.ts";
import { paint, type ExitCode, type Paint, type Terminal } from "./terminal.ts";

export interface PlanOptions {
  readonly file: string;
  readonly json: boolean;
}

export async function plan(
  client: ControlClient,
  { file, json }: PlanOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const found = await client.plan(resolve(file));
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
