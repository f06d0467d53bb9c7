/** `nines backend drain|ready|maint|weight POOL/SERVER`: what operators order at run time. */

import type { PoolServer } from "../daemon/balance-status.ts";
import type { ServerOrder } from "../daemon/control-api.ts";
import type { ControlClient } from "../daemon/control-client.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

const LOOK_EVERY_MS = 200;

export interface BackendOptions {
  readonly order: ServerOrder;
  /** For `drain` and `maint`: until its last request is done. */
  readonly wait: boolean;
}

export async function backend(
  client: ControlClient,
  { order, wait }: BackendOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { unkept } = await client.order(order);
  if (unkept !== undefined) terminal.err(`nines: ${unkept}`);
  const { server, state, weight } = order;
  if (state === undefined) {
    terminal.out(`${server}: ${weight === null ? "weight as configured" : `weight ${weight}`}`);
    return 0;
  }
  terminal.out(`${server}: ${state}`);
  if (state !== "ready") await warnWhenNobodyIsLeft(client, server, terminal);
  return wait && state !== "ready" ? waitUntilIdle(client, server, terminal) : 0;
}

/** It was ordered and it is done; but it may not be what the operator thought of. */
async function warnWhenNobodyIsLeft(
  client: ControlClient,
  name: string,
  terminal: Terminal,
): Promise<void> {
  const { pools } = await client.balance();
  const pool = pools.find((one) => name.startsWith(`${one.name}/`));
  if (pool === undefined || pool.servers.some((server) => server.usable)) return;
  const undo = `nines backend ready ${name}`;
  terminal.err(`nines: nobody in pool ${pool.name} takes new clients now; take it back: ${undo}`);
}

/**
 * Says what is left whenever that changes, and on a terminal how long it may take; the pool cuts what its
 * deadline does not allow.
 */
async function waitUntilIdle(
  client: ControlClient,
  name: string,
  terminal: Terminal,
): Promise<ExitCode> {
  let told = "";
  for (;;) {
    const server = await find(client, name);
    if (server === undefined) {
      terminal.out(`${name}: it is not configured any more`);
      return 0;
    }
    const { drain, active, state } = server;
    if (drain === undefined) {
      terminal.err(`nines: ${name} is ${state}: somebody took the order back`);
      return 1;
    }
    if (active === 0) {
      terminal.out(`${name}: ${idleText(server, told !== "")}`);
      return 0;
    }
    const { text } = drain;
    const news = terminal.columns === undefined ? String(active) : text;
    if (news !== told) terminal.out(`${name}: ${text}`);
    told = news;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** `hadRequests`: when it was looked at before. */
export function idleText({ drain }: PoolServer, hadRequests: boolean): string {
  return `nothing is left${hadRequests && drain?.leftMs === 0 ? "; its deadline is over" : ""}`;
}

async function find(client: ControlClient, name: string): Promise<PoolServer | undefined> {
  const { pools } = await client.balance();
  return pools
    .flatMap((pool) =>
      pool.servers.map((server) => ({ name: `${pool.name}/${server.name}`, server })),
    )
    .find((one) => one.name === name)?.server;
}
