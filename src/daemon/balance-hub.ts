/** The control role's end of `balance.sock`: which workers live, questions with answers. */

import type { Server } from "node:net";
import type { FromWorker, ToWorker, WorkerReply } from "./balance-protocol.ts";
import { serveLines, type LineConnection, type LineHandlers } from "./line-connection.ts";

/** A worker answers between two turns of its loop; carrying out a reload may take longer. */
const ANSWER_WITHIN_MS = 5_000;
/** 64 workers, their successors during an upgrade, and connections that are just being replaced. */
const MAX_WORKERS = 256;

export type Hello = Extract<FromWorker, { type: "hello" }>;
/** Of a worker: both together come once. */
export type Life = Pick<Hello, "serial" | "pid">;

/** What a question ended as: `error` says why there is no answer. */
export interface WorkerAnswer {
  readonly error?: string;
  readonly reply?: WorkerReply;
}

type Question = Extract<ToWorker, { readonly id: number }>;
/** Each kind of question without its number. */
export type Asked = Question extends infer One
  ? One extends unknown
    ? Omit<One, "id">
    : never
  : never;

export class WorkerLink {
  readonly hello: Hello;
  /** It accepts on all its sockets. */
  isServing = false;
  /** Names of the listening sockets, and of what goes with them, that it was given. */
  sockets: Set<string>;
  readonly #connection: LineConnection<ToWorker>;
  readonly #waiting = new Map<number, (answer: WorkerAnswer) => void>();
  #lastId = 0;

  constructor(hello: Hello, connection: LineConnection<ToWorker>) {
    this.hello = hello;
    this.sockets = new Set(hello.listening);
    this.#connection = connection;
  }

  send(message: Exclude<ToWorker, Question>): boolean {
    return this.#connection.send(message);
  }

  /** Never rejects. */
  ask(question: Asked, withinMs: number = ANSWER_WITHIN_MS): Promise<WorkerAnswer> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const settle = (answer: WorkerAnswer): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => settle({ error: "the worker does not answer" }), withinMs);
      this.#waiting.set(id, settle);
      const message = { ...question, id } as Question;
      if (!this.#connection.send(message)) settle({ error: "the worker is gone" });
    });
  }

  answered(message: Extract<FromWorker, { type: "reply" }>): void {
    this.#waiting.get(message.id)?.(message);
  }

  closed(): void {
    for (const settle of this.#waiting.values()) settle({ error: "the worker ended" });
  }
}

export interface HubListener {
  joined(link: WorkerLink): void;
  left(link: WorkerLink): void;
  heard(link: WorkerLink, message: Exclude<FromWorker, { type: "hello" | "reply" }>): void;
}

/** Serves `path`. Nobody else does: the control socket was checked before. */
export function serveWorkers(path: string, listener: HubListener): Promise<Server> {
  const accept = (connection: LineConnection<ToWorker>): LineHandlers<FromWorker> => {
    let link: WorkerLink | undefined;
    return {
      message(message): void {
        if (message.type === "hello") {
          link = new WorkerLink(message, connection);
          listener.joined(link);
        } else if (link === undefined) {
          connection.close();
        } else if (message.type === "reply") {
          link.answered(message);
        } else {
          listener.heard(link, message);
        }
      },
      closed(): void {
        link?.closed();
        if (link !== undefined) listener.left(link);
      },
    };
  };
  return serveLines<FromWorker, ToWorker>(path, accept, MAX_WORKERS);
}
