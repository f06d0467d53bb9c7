/** `nines upgrade`: fresh balance workers of the program now on disk; no connection is lost. */

import type { ControlClient } from "../daemon/control-client.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export async function upgrade(client: ControlClient, terminal: Terminal): Promise<ExitCode> {
  await client.replaceWorkers();
  terminal.out("fresh workers serve; the old ones finish what they have");
  return 0;
}
