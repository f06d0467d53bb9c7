/** `nines reload`: reads the configuration again; unchanged instances do not notice. */

import type { ControlClient } from "../daemon/control-client.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export async function reload(client: ControlClient, terminal: Terminal): Promise<ExitCode> {
  const { reloaded, diagnostics } = await client.reload();
  for (const line of diagnostics) terminal.err(line);
  if (!reloaded) {
    terminal.err("refused: the configuration before it goes on; mend the file and reload again");
    return 2;
  }
  terminal.out("reloaded");
  return 0;
}
