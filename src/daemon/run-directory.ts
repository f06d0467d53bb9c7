/** Where the processes of one node meet. One run directory = one node. */

import { accessSync, chmodSync, constants, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export const DEFAULT_RUN_DIRECTORY = "/run/nines";
export const DEFAULT_STATE_DIRECTORY = "/var/lib/nines";

/** Longest path that fits into `sockaddr_un` with the terminating zero. */
const MAX_SOCKET_PATH = 107;

export interface RunDirectory {
  readonly path: string;
  readonly controlSocket: string;
  readonly vrrpSocket: string;
  /** Of the vrrp process in reserve, which makes it the other one when it is called. */
  readonly spareSocket: string;
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
    spareSocket: join(path, "spare.sock"),
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

/**
 * Makes `path` (0750) unless it is there. The answer is what is wrong with it, if anything. A directory that
 * holds other things may be anybody's, as /run or the one we stand in: its rights stay as they are. A disk that
 * went read-only costs the node its memory, not its addresses: whoever wants to write there tells.
 */
export function prepareDirectory(
  path: string,
  option: "--run-dir" | "--state-dir" = "--run-dir",
): string | undefined {
  if (path === "") return `${option} is empty; name a directory`;
  if (Buffer.byteLength(join(path, "control.sock")) > MAX_SOCKET_PATH) {
    return `${path} is too long for a unix socket; choose a shorter one with ${option}`;
  }
  try {
    mkdirSync(path, { recursive: true, mode: 0o750 });
    const facts = statSync(path);
    const uid = process.getuid?.() ?? 0;
    if (facts.uid !== uid && facts.uid !== 0) {
      return `${path} belongs to user ${facts.uid}; choose another directory with ${option}`;
    }
    const isOurs = facts.uid === uid && readdirSync(path).length === 0;
    if (isOurs && (facts.mode & 0o027) !== 0) chmodSync(path, facts.mode & 0o750);
    else if (!isOurs && (facts.mode & 0o022) !== 0) {
      return `others may write to ${path}; choose a directory of its own with ${option}`;
    }
    accessSync(path, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const trouble = error as NodeJS.ErrnoException;
    if (option === "--state-dir" && trouble.code === "EROFS") return undefined;
    return `cannot use ${path}: ${troubleOf(trouble, option)}`;
  }
}

function troubleOf({ code, message }: NodeJS.ErrnoException, option: string): string {
  switch (code) {
    case "EEXIST":
    case "ENOTDIR":
      return `it is not a directory; choose another one with ${option}`;
    case "EACCES":
    case "EROFS":
    case "EPERM":
      return `${code}, it cannot be written; run as root or use ${option}`;
    default:
      return `${code ?? message}; choose another one with ${option}`;
  }
}
