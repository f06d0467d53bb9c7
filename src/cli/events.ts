/** `nines events`: what happened on this node, newest last. */

import { eventLine } from "../daemon/event-log.ts";
import type { LoggedEvent } from "../daemon/control-api.ts";
import type { ControlClient } from "../daemon/control-client.ts";
import { paint, type ExitCode, type Terminal } from "./terminal.ts";

export interface EventsOptions {
  readonly follow: boolean;
  readonly json: boolean;
  /** Only events after this number. */
  readonly since: number;
}

export async function events(
  client: ControlClient,
  options: EventsOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const show = (event: LoggedEvent): void => {
    if (options.json) terminal.out(JSON.stringify(event));
    else if (event.level === "info") terminal.out(eventLine(event));
    else
      terminal.out(paint(terminal, event.level === "error" ? "red" : "yellow", eventLine(event)));
  };
  if (!options.follow) {
    for (const event of await client.events(options.since)) show(event);
    return 0;
  }
  await client.follow(options.since, show);
  terminal.err("nines ended");
  return 1;
}
