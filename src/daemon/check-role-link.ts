/**
 * The check role's line to the vrrp role: connects, and connects again, for as long as this
 * process lives. What is said while nobody listens is either said anew on connecting (verdicts)
 * or kept for then (events).
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RouterEvent } from "../core/vrrp/router-ports.ts";
import { untilBeatMs } from "../drivers/beat.ts";
import { connectLines, type LineConnection } from "./line-connection.ts";
import { ROLE_PROTOCOL, type FromCheck, type ToCheck } from "./role-protocol.ts";
import type { RunDirectory } from "./run-directory.ts";

/** A vrrp role that died is back within a fraction of its lease, and needs our verdicts then. */
const FIRST_RETRY_MS = 10;
const RETRY_GROWTH = 1.05;
const LONGEST_RETRY_MS = 1000;
/** Events kept while there is no vrrp role to tell. */
const KEPT_EVENTS = 64;

export interface LinkListener {
  /** A vrrp role listens that knows nothing of us yet. */
  connected(): void;
  message(message: ToCheck): void;
  /** Another check process has taken our place. */
  replaced(): void;
}

export class CheckLink {
  readonly #directory: RunDirectory;
  readonly #listener: LinkListener;
  #connection: LineConnection<FromCheck> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #closed = false;
  readonly #kept: RouterEvent[] = [];

  constructor(directory: RunDirectory, listener: LinkListener) {
    this.#directory = directory;
    this.#listener = listener;
  }

  /** Never rejects: failing to connect is normal while the vrrp role is being restarted. */
  async connect(): Promise<void> {
    let connection: LineConnection<FromCheck>;
    try {
      connection = await connectLines<ToCheck, FromCheck>(this.#directory.vrrpSocket, {
        message: (message) => this.#listener.message(message),
        closed: () => this.#lost(),
      });
    } catch {
      this.#retryLater();
      return;
    }
    if (this.#closed) {
      connection.close();
      return;
    }
    this.#connection = connection;
    this.#retryMs = FIRST_RETRY_MS;
    const hello = { type: "hello", role: "check", protocol: ROLE_PROTOCOL } as const;
    connection.send({ ...hello, pid: process.pid });
    for (const event of this.#kept.splice(0)) this.tell(event);
    this.#listener.connected();
  }

  /** False: nobody listens; `connected` will be called when somebody does. */
  send(message: FromCheck): boolean {
    return this.#connection?.send(message) ?? false;
  }

  /** A line for the operator. */
  tell(event: RouterEvent): void {
    if (this.send({ type: "check-event", event })) return;
    this.#kept.push(event);
    if (this.#kept.length > KEPT_EVENTS) this.#kept.shift();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#connection?.close();
    this.#connection = undefined;
  }

  #lost(): void {
    this.#connection = undefined;
    if (this.#closed) return;
    // The vrrp role keeps one check role and hangs up on the older: coming back would throw
    // the newer one out in turn.
    if (hasSuccessor(this.#directory)) this.#listener.replaced();
    else this.#retryLater();
  }

  #retryLater(): void {
    if (this.#closed) return;
    this.#retry = setTimeout(() => void this.connect(), untilNextTryMs(this.#retryMs));
    this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * RETRY_GROWTH);
  }
}

/** Where no address is configured there never is a vrrp role: who has waited long asks when the process is awake anyway. */
export function untilNextTryMs(retryMs: number): number {
  return retryMs < LONGEST_RETRY_MS ? retryMs : untilBeatMs();
}

/** Another check process has written its number down. When the file is gone nobody has taken our place. */
export function hasSuccessor({ path }: RunDirectory): boolean {
  try {
    return Number.parseInt(readFileSync(join(path, "check.pid"), "utf8"), 10) !== process.pid;
  } catch {
    return false;
  }
}
