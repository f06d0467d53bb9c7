/**
 * `nines upgrade`: the control process becomes the program now on disk, fresh balance workers take over
 * from the old ones, and the vrrp, check and console processes are renewed. Nothing stops meanwhile.
 */

import { ControlFailure, type ControlClient } from "../daemon/control-client.ts";
import type { NodeStatus } from "../daemon/control-api.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

const COMES_BACK_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 50;

export async function upgrade(client: ControlClient, terminal: Terminal): Promise<ExitCode> {
  const before = await client.status();
  const { from, to } = await client.upgrade();
  if (!(await hasSuccessor(client, before))) {
    terminal.err("nines: the new control process does not answer; see its log");
    return 1;
  }
  terminal.out(from === to ? `control: started anew as ${to}` : `control: ${from} -> ${to}`);
  if (before.balance !== undefined) {
    await client.replaceWorkers();
    terminal.out("fresh workers serve; the old ones finish what they have");
  }
  for (const { role, stays } of await client.renewRoles()) {
    const fresh = role === "vrrp" ? "a fresh process goes on in its lease" : "a fresh process";
    terminal.out(`${role}: ${stays ?? fresh}`);
  }
  return 0;
}

/** Waits until it has taken the others over. */
async function hasSuccessor(client: ControlClient, before: NodeStatus): Promise<boolean> {
  const untilMs = performance.now() + COMES_BACK_WITHIN_MS;
  while (performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    try {
      const node = await client.status();
      const isAnother = node.startedWallMs !== before.startedWallMs;
      const hasBalance = node.balance !== undefined || before.balance === undefined;
      if (isAnother && hasBalance && before.roles.every((role) => runs(node, role))) return true;
    } catch (error) {
      if (!(error instanceof ControlFailure)) throw error;
    }
  }
  return false;
}

function runs(node: NodeStatus, { name }: NodeStatus["roles"][number]): boolean {
  return node.roles.some((role) => role.name === name && role.state === "running");
}
