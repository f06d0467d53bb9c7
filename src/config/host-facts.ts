/** What the warnings want to know about this machine, gathered from the real one. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { networkInterfaces } from "node:os";

export interface FileFact {
  /** Permission bits, e.g. 0o755. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly directory: boolean;
  /** Beginning of the text; absent when it cannot be read or is not text. */
  readonly text?: string;
}

/** Everything is optional: what is not known is not warned about. */
export interface HostFacts {
  readonly interfaces?: readonly string[];
  /** Addresses of this machine, canonical text. */
  readonly addresses?: readonly string[];
  readonly users?: readonly string[];
  readonly groups?: readonly string[];
  /** Undefined when there is no such file. */
  readonly file?: (path: string) => FileFact | undefined;
}

/** Scripts are short; more is not read. */
const MOST_TEXT_BYTES = 65_536;

/** Facts about the machine this runs on. What cannot be read stays unknown. */
export function gatherHostFacts(): HostFacts {
  const interfaces = orUndefined(() => readdirSync("/sys/class/net"));
  const users = namesOf("/etc/passwd");
  const groups = namesOf("/etc/group");
  return {
    ...(interfaces === undefined ? {} : { interfaces }),
    addresses: Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).map((entry) => entry.address),
    ),
    ...(users === undefined ? {} : { users }),
    ...(groups === undefined ? {} : { groups }),
    file: fileFact,
  };
}

function namesOf(path: string): string[] | undefined {
  return orUndefined(() =>
    readFileSync(path, "utf8")
      .split("\n")
      .map((line) => line.split(":")[0]!)
      .filter((name) => name !== ""),
  );
}

function fileFact(path: string): FileFact | undefined {
  return orUndefined(() => {
    const stat = statSync(path);
    const small = stat.isFile() && stat.size <= MOST_TEXT_BYTES;
    const text = small ? orUndefined(() => readFileSync(path, "utf8")) : undefined;
    return {
      mode: stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      directory: stat.isDirectory(),
      ...(text === undefined || text.includes("\0") ? {} : { text }),
    };
  });
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
