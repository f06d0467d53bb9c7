/** `nines handover INSTANCE`: a master resigns in favour of whoever is there. */

import type { ControlClient } from "../daemon/control-client.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export async function handover(
  client: ControlClient,
  { instance, json }: { readonly instance: string; readonly json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const { router } = await client.status();
  await client.handOver(instance);
  const all = [...(router?.instances ?? []), ...(router?.groups ?? [])];
  const state = all.find(({ name }) => name === instance)?.state ?? "MASTER";
  if (json) {
    terminal.out(JSON.stringify({ instance, state, asked: state === "MASTER" }));
    return 0;
  }
  // Before a machine is switched off both are well; but who meant the other machine wants to know.
  if (state === "MASTER")
    terminal.out(`asked ${instance} to hand over; see: nines why ${instance}`);
  else terminal.out(`nothing to hand over: ${instance} is ${state} here`);
  return 0;
}
