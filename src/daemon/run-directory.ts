/** Where the processes of one node meet. One run directory = one node. */

import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

export const DEFAULT_RUN_DIRECTORY = "/run/nines";
export const DEFAULT_STATE_DIRECTORY = "/var/lib/nines";

/** Longest path that fits into `sockaddr_un` with the terminating zero. */
const MAX_SOCKET_PATH = 107;

export interface RunDirectory {
  readonly path: string;
  readonly controlSocket: string;
  readonly vrrpSocket: string;
  /** Balance workers, the check role, and listening sockets: see `balance-protocol.ts`. */
  readonly balanceSocket: string;
  readonly checkSocket: string;
  /** What balance workers had counted; see `balance-past.ts`. */
  readonly balanceCounts: string;
  readonly controlBox: string;
  /** What Nines put into the kernel; see `src/drivers/owned-record.ts`. */
  readonly ownedRecord: string;
  /** Who waits for a configuration to be confirmed; see `trial-guard.ts`. */
  readonly trialGuard: string;
}

export function runDirectory(path: string): RunDirectory {
  return {
    path,
    controlSocket: join(path, "control.sock"),
    vrrpSocket: join(path, "vrrp.sock"),
    balanceSocket: join(path, "balance.sock"),
    checkSocket: join(path, "check.sock"),
    balanceCounts: join(path, "balance-counts.json"),
    controlBox: join(path, "control.box"),
    ownedRecord: join(path, "owned.json"),
    trialGuard: join(path, "trial-guard.json"),
  };
}

/** Where a balance worker gets its listening sockets. */
export function workerBox(directory: string, serial: number): string {
  return join(directory, `balance-${serial}.box`);
}

/** Makes `path` (0750) unless it is there. The answer is what is wrong with it, if anything. */
export function prepareDirectory(path: string): string | undefined {
  if (Buffer.byteLength(join(path, "control.sock")) > MAX_SOCKET_PATH) {
    return `${path} is too long for a unix socket; choose a shorter one with --run-dir`;
  }
  try {
    mkdirSync(path, { recursive: true, mode: 0o750 });
    const facts = statSync(path);
    if (!facts.isDirectory()) return `${path} is not a directory; choose another one`;
    const uid = process.getuid?.() ?? 0;
    if (facts.uid !== uid && facts.uid !== 0) {
      return `${path} belongs to user ${facts.uid}; choose another directory with --run-dir`;
    }
    if (facts.uid === uid && (facts.mode & 0o027) !== 0) chmodSync(path, facts.mode & 0o750);
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const next = code === "EACCES" || code === "EROFS" ? "run as root or use --run-dir" : code;
    return `cannot use ${path} as run directory (${code}): ${next}`;
  }
}
