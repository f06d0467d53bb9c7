/** `nines handover INSTANCE`: a master resigns in favour of whoever is there. */

import type { ControlClient } from "../daemon/control-client.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export async function handover(
  client: ControlClient,
  instance: string,
  terminal: Terminal,
): Promise<ExitCode> {
  await client.handOver(instance);
  terminal.out(`asked ${instance} to hand over; see: nines why ${instance}`);
  return 0;
}
