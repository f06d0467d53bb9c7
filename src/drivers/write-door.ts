/** Where a write probe writes and reads: by HTTP, or by commands that reach what has no HTTP. */

import { runCommand } from "./run-command.ts";

const WITHIN_MS = 2000;

export interface WriteDoor {
  /** What it is called where it is told. */
  readonly name: string;
  /** True: acknowledged. Never rejects. */
  write(key: string, value: string): Promise<boolean>;
  /** Null: there is no such thing; undefined: nobody could be asked. Never rejects. */
  read(key: string): Promise<string | null | undefined>;
}

/** PUT and GET of `BASE/KEY`; 2xx acknowledges, 404 and 410 say that it is gone. */
export function httpDoor(base: string): WriteDoor {
  const urlOf = (key: string): string => `${base.replace(/\/$/u, "")}/${key}`;
  return {
    name: base,
    write: async (key, value) => {
      const answer = await ask(urlOf(key), { method: "PUT", body: value });
      await answer?.body?.cancel();
      return answer?.ok === true;
    },
    read: async (key) => {
      const answer = await ask(urlOf(key), { method: "GET" });
      if (answer?.ok === true) return answer.text().catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 404 || answer?.status === 410 ? null : undefined;
    },
  };
}

/**
 * Shell lines with the key as `$1` and the value as `$2`, e.g. `redis-cli -h db set "$1" "$2"` or
 * `ssh db "redis-cli get $1"`. Exit 0 acknowledges; what the reading one prints is what is there, and
 * nothing printed is nothing there.
 */
export function commandDoor(write: string, read: string): WriteDoor {
  return {
    name: write,
    write: async (key, value) =>
      (await runCommand(["sh", "-c", write, "sh", key, value], WITHIN_MS)).ok,
    read: async (key) => {
      const ran = await runCommand(["sh", "-c", read, "sh", key], WITHIN_MS);
      if (!ran.ok) return undefined;
      const text = ran.stdout.trim();
      return text === "" ? null : text;
    },
  };
}

function ask(url: string, init: RequestInit): Promise<Response | undefined> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  return fetch(url, { ...init, signal }).catch(() => undefined);
}
