/** `nines reload`: reads the configuration again; unchanged instances do not notice. */

import type { ControlClient } from "../daemon/control-client.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export async function reload(
  client: ControlClient,
  { json }: { readonly json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const outcome = await client.reload();
  const { reloaded, diagnostics } = outcome;
  if (json) {
    terminal.out(JSON.stringify(outcome, undefined, 2));
    return reloaded ? 0 : 2;
  }
  for (const line of diagnostics) terminal.err(line);
  if (!reloaded) {
    terminal.err("refused: the configuration before it goes on; mend the file and reload again");
    return 2;
  }
  terminal.out("reloaded");
  return 0;
}
