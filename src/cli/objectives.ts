/** `nines objectives`: what was promised, what is left of the budget, and how fast it goes. */

import { percent } from "../core/ledger/availability.ts";
import type { ObjectiveView } from "../console/api.ts";
import { formatDuration } from "../lib/duration.ts";
import { formatTable } from "../lib/table.ts";
import type { ConsoleClient } from "./console-client.ts";
import { paint, type ExitCode, type Terminal } from "./terminal.ts";

export async function objectives(
  client: ConsoleClient,
  options: { readonly json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const { objectives: list } = await client.get<{ readonly objectives: readonly ObjectiveView[] }>(
    "/api/v1/objectives",
  );
  if (options.json) {
    for (const one of list) terminal.out(JSON.stringify(one));
    return 0;
  }
  if (list.length === 0) terminal.out("no services are known");
  for (const one of list) show(one, terminal);
  return 0;
}

function show(one: ObjectiveView, terminal: Terminal): void {
  const { service, objectives: aim, availability, budget, burns } = one;
  const promised = `${Number((aim.availability * 100).toFixed(9))} %`;
  const got = availability === undefined ? "nothing measured yet" : `${percent(availability)} now`;
  const left = `${formatDuration(budget.leftMs)} of ${formatDuration(budget.totalMs)} left`;
  terminal.out(`${service}: ${promised} within ${formatDuration(aim.windowMs)}, ${got}; ${left}`);
  if (burns.length === 0) terminal.out("  no alert watches it: nothing was measured yet");
  const rows = burns.map(({ node, vantage, rule, state, long, short, reason }) => [
    `  ${node}`,
    vantage,
    rule,
    state === "firing" ? paint(terminal, "red", state) : state,
    long.toPrecision(3),
    short.toPrecision(3),
    reason,
  ]);
  const head = ["  node", "vantage", "alert", "state", "long", "short", "why"];
  if (rows.length > 0) for (const line of formatTable(head, rows)) terminal.out(line);
}
