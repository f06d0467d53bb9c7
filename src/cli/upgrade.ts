/**
 * `nines upgrade`: the control process becomes the program now on disk, and fresh balance workers
 * take over from the old ones. Nothing stops meanwhile.
 */

import { ControlFailure, type ControlClient } from "../daemon/control-client.ts";
import type { NodeStatus } from "../daemon/control-api.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

const COMES_BACK_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 50;

export async function upgrade(client: ControlClient, terminal: Terminal): Promise<ExitCode> {
  const { from, to, startedWallMs } = await client.upgrade();
  const node = await successorOf(client, startedWallMs);
  if (node === undefined) {
    terminal.err("nines: the new control process does not answer; see its log");
    return 1;
  }
  terminal.out(from === to ? `control: started anew as ${to}` : `control: ${from} -> ${to}`);
  if (node.balance === undefined) return 0;
  await client.replaceWorkers();
  terminal.out("fresh workers serve; the old ones finish what they have");
  return 0;
}

/** Waits until it has taken the others over. */
async function successorOf(
  client: ControlClient,
  startedWallMs: number,
): Promise<NodeStatus | undefined> {
  const untilMs = performance.now() + COMES_BACK_WITHIN_MS;
  while (performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    try {
      const node = await client.status();
      const isSettled = node.roles.length > 0 && node.roles.every(isRunning);
      if (node.startedWallMs !== startedWallMs && isSettled) return node;
    } catch (error) {
      if (!(error instanceof ControlFailure)) throw error;
    }
  }
  return undefined;
}

function isRunning({ state }: NodeStatus["roles"][number]): boolean {
  return state === "running";
}
