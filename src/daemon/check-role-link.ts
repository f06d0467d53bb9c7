/**
 * The check role's line to the vrrp role: connects, and connects again, for as long as this
 * process lives. What is said while nobody listens is either said anew on connecting (verdicts)
 * or kept for then (events).
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RouterEvent } from "../core/vrrp/router-ports.ts";
import { onBeat, untilBeatMs } from "../drivers/beat.ts";
import { connectLines, type LineConnection } from "./line-connection.ts";
import { ROLE_PROTOCOL, type FromCheck, type ToCheck } from "./role-protocol.ts";
import type { RunDirectory } from "./run-directory.ts";

/** A vrrp role that died is back within a fraction of its lease, and needs our verdicts then. */
const FIRST_RETRY_MS = 10;
/** One in reserve will speak first: two lines to the same process would be one too many. */
const FIRST_RETRY_BESIDE_SPARE_MS = 100;
const RETRY_GROWTH = 1.05;
const LONGEST_RETRY_MS = 1000;
/** Events kept while there is no vrrp role to tell. */
const KEPT_EVENTS = 64;
/** How often the vrrp process in reserve is looked for, while there is a line to the other one. */
const MEET_SPARE_EVERY_MS = 1_000;

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
  /** To the vrrp process in reserve. */
  #spare: LineConnection<FromCheck> | undefined;
  readonly #stopMeeting: () => void;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #closed = false;
  readonly #kept: RouterEvent[] = [];

  constructor(directory: RunDirectory, listener: LinkListener) {
    this.#directory = directory;
    this.#listener = listener;
    this.#stopMeeting = onBeat(() => void this.#meetSpare(), MEET_SPARE_EVERY_MS);
  }

  /** Never rejects: failing to connect is normal while the vrrp role is being restarted. */
  async connect(): Promise<void> {
    const connection = await this.#reach(this.#directory.vrrpSocket);
    if (connection === undefined) return this.#retryLater();
    // The one in reserve was called meanwhile.
    if (this.#closed || this.#connection !== undefined) return connection.close();
    greet(connection);
    this.#use(connection);
    void this.#meetSpare();
  }

  /** A vrrp process that goes on in a lease has no time to wait until we find it. */
  async #meetSpare(): Promise<void> {
    if (this.#connection === undefined || this.#spare !== undefined) return;
    const connection = await this.#reach(this.#directory.spareSocket);
    if (this.#closed || this.#spare !== undefined) return connection?.close();
    this.#spare = connection;
    if (connection !== undefined) greet(connection);
  }

  /** Undefined: nobody listens. */
  async #reach(path: string): Promise<LineConnection<FromCheck> | undefined> {
    const line: { connection?: LineConnection<FromCheck> } = {};
    try {
      line.connection = await connectLines<ToCheck, FromCheck>(path, {
        message: (message) => {
          // Who is in reserve says nothing: it is not any more.
          if (line.connection !== undefined && line.connection === this.#spare) this.#change();
          this.#listener.message(message);
        },
        closed: () => {
          if (line.connection === this.#spare) this.#spare = undefined;
          if (line.connection === this.#connection) this.#lost();
        },
      });
    } catch {
      // The usual thing while there is none.
    }
    return line.connection;
  }

  /** The spare has been called: the other one is dead. */
  #change(): void {
    const connection = this.#spare;
    if (connection === undefined) return;
    this.#spare = undefined;
    clearTimeout(this.#retry);
    this.#connection?.close();
    this.#use(connection);
  }

  #use(connection: LineConnection<FromCheck>): void {
    this.#connection = connection;
    this.#retryMs = FIRST_RETRY_MS;
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
    this.#stopMeeting();
    this.#connection?.close();
    this.#connection = undefined;
    this.#spare?.close();
    this.#spare = undefined;
  }

  #lost(): void {
    this.#connection = undefined;
    if (this.#closed) return;
    // The vrrp role keeps one check role and hangs up on the older: coming back would throw
    // the newer one out in turn.
    if (hasSuccessor(this.#directory)) this.#listener.replaced();
    else {
      if (this.#spare !== undefined) this.#retryMs = FIRST_RETRY_BESIDE_SPARE_MS;
      this.#retryLater();
    }
  }

  #retryLater(): void {
    if (this.#closed) return;
    this.#retry = setTimeout(() => void this.connect(), untilNextTryMs(this.#retryMs));
    this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * RETRY_GROWTH);
  }
}

function greet(connection: LineConnection<FromCheck>): void {
  connection.send({ type: "hello", role: "check", protocol: ROLE_PROTOCOL, pid: process.pid });
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
