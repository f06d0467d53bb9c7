/**
 * A worker's line to the control role: connects, and again when there is a new one. Nothing is
 * written from inside of the engine's calls: what it tells goes out in the next turn.
 */

import type { FromWorker, ToWorker } from "./balance-protocol.ts";
import { connectLines, type LineConnection } from "./line-connection.ts";

const FIRST_RETRY_MS = 20;
const LONGEST_RETRY_MS = 500;
/** Kept for a control process that is not there at the moment. */
const KEPT_MESSAGES = 512;

export interface WorkerLinkHandlers {
  hello(): Extract<FromWorker, { type: "hello" }>;
  message(message: ToWorker): void;
  /** Said hello; may say more. */
  connected(): void;
}

export class ControlLink {
  readonly #path: string;
  readonly #handlers: WorkerLinkHandlers;
  #connection: LineConnection<FromWorker> | undefined;
  #queue: FromWorker[] = [];
  #isFlushing = false;
  #retryMs = FIRST_RETRY_MS;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(path: string, handlers: WorkerLinkHandlers) {
    this.#path = path;
    this.#handlers = handlers;
  }

  async connect(): Promise<void> {
    try {
      const connection = await connectLines<ToWorker, FromWorker>(this.#path, {
        message: (message) => this.#handlers.message(message),
        closed: () => this.#lost(),
      });
      if (this.#isClosed) return connection.close();
      this.#connection = connection;
      this.#retryMs = FIRST_RETRY_MS;
      connection.send(this.#handlers.hello());
      this.#handlers.connected();
      this.#flush();
    } catch {
      this.#lost();
    }
  }

  /** Answers to nobody are not kept; events are, up to a bound. */
  send(message: FromWorker): void {
    if (this.#connection === undefined && message.type !== "event") return;
    this.#queue.push(message);
    if (this.#queue.length > KEPT_MESSAGES && this.#connection === undefined) this.#queue.shift();
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  /** What was sent is on its way when this returns. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#flush();
    this.#connection?.close();
    this.#connection = undefined;
  }

  #flush(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const queue = this.#queue;
    this.#queue = [];
    for (const message of queue) connection.send(message);
  }

  #lost(): void {
    this.#connection = undefined;
    if (this.#isClosed) return;
    this.#retry = setTimeout(() => void this.connect(), this.#retryMs);
    this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
  }
}
