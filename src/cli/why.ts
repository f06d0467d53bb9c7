/** `nines why INSTANCE`, or a group: the last decisions with what was known when they were taken. */

import type { Why } from "../daemon/control-api.ts";
import type { ControlClient } from "../daemon/control-client.ts";
import { clockTime } from "../daemon/event-log.ts";
import { formatDuration } from "../lib/duration.ts";
import { dayOf } from "./local-time.ts";
import { paint, type ExitCode, type Terminal } from "./terminal.ts";

export async function why(
  client: ControlClient,
  options: { readonly instance: string; readonly json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const { instance, json } = options;
  const { router } = await client.status();
  const isInstance = router?.instances.some(({ name }) => name === instance) === true;
  const group = isInstance ? undefined : router?.groups.find(({ name }) => name === instance);
  if (group === undefined) {
    const answer = await client.why(instance);
    if (json) terminal.out(JSON.stringify(answer, undefined, 2));
    else for (const line of whyLines(answer, terminal)) terminal.out(line);
    return 0;
  }
  // A group decides by its members.
  const answers = await Promise.all(group.members.map((member) => client.why(member)));
  if (json) terminal.out(JSON.stringify(answers, undefined, 2));
  else {
    for (const answer of answers) {
      terminal.out(`${answer.instance} of group ${instance}:`);
      for (const line of whyLines(answer, terminal)) terminal.out(`  ${line}`);
    }
  }
  return 0;
}

export function whyLines(answer: Why, terminal: Terminal): readonly string[] {
  if (answer.decisions.length === 0) return [`${answer.instance} has decided nothing yet`];
  return answer.decisions.flatMap(({ atMs, event, inputs }) => {
    const change = event.from === undefined ? event.kind : `${event.from} -> ${event.to}`;
    // As `nines events` tells it: the two are read side by side.
    const wallMs = answer.wallMs - (answer.nowMs - atMs);
    const when = `${dayOf(wallMs)}${clockTime(wallMs)}`;
    const ago = formatDuration(answer.nowMs - atMs);
    const known = Object.entries(inputs).map(([key, value]) => `${key}=${value}`);
    const head = `${when} (${ago} ago)  ${paint(terminal, "bold", change)}`;
    const lines = [head, `  ${event.reason}`];
    if (known.length > 0) lines.push(paint(terminal, "dim", `  ${known.join("  ")}`));
    return lines;
  });
}
