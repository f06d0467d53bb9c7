/** `nines metrics`: the Prometheus page, e.g. for node_exporter's textfile collector. */

import type { ControlClient } from "../daemon/control-client.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export async function metrics(client: ControlClient, terminal: Terminal): Promise<ExitCode> {
  terminal.out((await client.metrics()).trimEnd());
  return 0;
}
