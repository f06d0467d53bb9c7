/** `nines apply FILE [--confirm-within 60s]` and `nines confirm`. */

import type { ControlClient } from "../daemon/control-client.ts";
import { formatDuration } from "../lib/duration.ts";
import { placeOf, showPlan } from "./plan.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export interface ApplyOptions {
  readonly file: string;
  readonly confirmWithinMs?: number;
}

export async function apply(
  client: ControlClient,
  { file, confirmWithinMs }: ApplyOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const path = placeOf(file, terminal);
  if (path === undefined) return 2;
  const outcome = await client.apply(path, confirmWithinMs);
  if (!outcome.reloaded) {
    for (const line of outcome.diagnostics) terminal.err(line);
    terminal.err("refused: the configuration before it goes on");
    return 2;
  }
  showPlan(outcome, terminal);
  if (confirmWithinMs === undefined) {
    terminal.out("applied");
    return 0;
  }
  const within = formatDuration(confirmWithinMs);
  terminal.out(`applied; it goes back by itself in ${within} unless you say: nines confirm`);
  return 0;
}

export async function confirm(client: ControlClient, terminal: Terminal): Promise<ExitCode> {
  await client.confirm();
  terminal.out("confirmed");
  return 0;
}
