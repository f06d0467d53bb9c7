/** Whether a program of a host takes connections yet: as its kernel says it. */
import { readFileSync } from "node:fs";
import type { LabProcess } from "./process.ts";
import { waitFor } from "./wait.ts";

/** State LISTEN in `/proc/net/tcp`; a UDP socket that is bound has 07. */
const LISTEN = "0A";

/** Resolves when somebody listens on the TCP port in the host of `daemon`; rejects when it ended. */
export async function untilListening(
  daemon: LabProcess,
  port: number,
  timeoutMs = 20_000,
): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const socket = new RegExp(`: [0-9A-F]+:${hex} [0-9A-F]+:0000 ${LISTEN} `);
  const listens = (): boolean => {
    if (!daemon.isRunning) throw new Error(`${daemon.name} ended: ${daemon.log.slice(-2000)}`);
    return ["tcp", "tcp6"].some((table) => {
      return socket.test(readFileSync(`/proc/${daemon.pid}/net/${table}`, "utf8"));
    });
  };
  await waitFor(listens, timeoutMs, `${daemon.name} on port ${port}`);
}
