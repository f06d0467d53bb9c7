/** `nines __names KIND`: what a shell may offer, one name a line. */

import type { ControlClient } from "../daemon/control-client.ts";
import type { Named } from "./completion.ts";
import { serverNames } from "./pool.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export async function names(
  client: ControlClient,
  what: Named,
  terminal: Terminal,
): Promise<ExitCode> {
  const { router, balance } = await client.status();
  const all = {
    instances: () => [...(router?.instances ?? []), ...(router?.groups ?? [])].map(nameOf),
    pools: () => (balance?.pools ?? []).map(nameOf),
    servers: () => (balance === undefined ? [] : serverNames(balance)),
  };
  for (const name of all[what]()) terminal.out(name);
  return 0;
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}
