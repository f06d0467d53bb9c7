/** The control role's end of `vrrp.sock`: questions with answers, and what comes by itself. */

import { connectLines, type LineConnection } from "./line-connection.ts";
import {
  ROLE_PROTOCOL,
  type FromControl,
  type Reply,
  type RoleConfiguration,
  type ToControl,
} from "./role-protocol.ts";

/** A healthy vrrp role answers within a millisecond; carrying out a reload may take longer. */
const ANSWER_WITHIN_MS = 1_000;
const CONFIGURE_WITHIN_MS = 15_000;
/** A process that accepts but does not say `welcome` is hung. */
const WELCOME_WITHIN_MS = 2_000;

type Welcome = Extract<ToControl, { type: "welcome" }>;
export type Unasked = Extract<ToControl, { type: "event" | "check-role" }>;

/** What a question ended as: `error` says why there is no answer. */
export interface Answer {
  readonly error?: string;
  readonly reply?: Reply;
}

export class VrrpLink {
  readonly welcome: Welcome;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  readonly #connection: LineConnection<FromControl>;
  readonly #waiting: Map<number, (answer: Answer) => void>;
  #lastId = 0;

  /** Undefined when nobody listens, or who does is hung or speaks another protocol. */
  static async open(path: string, unasked: (message: Unasked) => void): Promise<Opened> {
    const waiting = new Map<number, (answer: Answer) => void>();
    const ended = Promise.withResolvers<void>();
    const welcomed = Promise.withResolvers<Welcome | undefined>();
    const handlers = {
      message(message: ToControl): void {
        if (message.type === "welcome") welcomed.resolve(message);
        else if (message.type === "reply") waiting.get(message.id)?.(message);
        else unasked(message);
      },
      closed(): void {
        welcomed.resolve(undefined);
        for (const answer of waiting.values()) answer({ error: "the vrrp process ended" });
        ended.resolve();
      },
    };
    let connection: LineConnection<FromControl>;
    try {
      connection = await connectLines<ToControl, FromControl>(path, handlers);
    } catch {
      return { outcome: "nobody" };
    }
    connection.send({
      type: "hello",
      role: "control",
      protocol: ROLE_PROTOCOL,
      pid: process.pid,
    });
    const timer = setTimeout(() => welcomed.resolve(undefined), WELCOME_WITHIN_MS);
    const welcome = await welcomed.promise;
    clearTimeout(timer);
    if (welcome === undefined) {
      connection.close();
      return { outcome: "hung" };
    }
    const link = new VrrpLink(welcome, connection, waiting, ended.promise);
    return { outcome: welcome.protocol === ROLE_PROTOCOL ? "open" : "foreign", link };
  }

  private constructor(
    welcome: Welcome,
    connection: LineConnection<FromControl>,
    waiting: Map<number, (answer: Answer) => void>,
    closed: Promise<void>,
  ) {
    this.welcome = welcome;
    this.#connection = connection;
    this.#waiting = waiting;
    this.closed = closed;
  }

  configure(configuration: RoleConfiguration): Promise<Answer> {
    const within = CONFIGURE_WITHIN_MS;
    return this.#ask((id) => ({ type: "configure", id, ...configuration }), within);
  }

  status(): Promise<Answer> {
    return this.#ask((id) => ({ type: "get-status", id }));
  }

  decisions(instance: string): Promise<Answer> {
    return this.#ask((id) => ({ type: "get-decisions", id, instance }));
  }

  handOver(instance: string): Promise<Answer> {
    const reason = "the operator asked for a handover";
    return this.#ask((id) => ({ type: "hand-over", id, instance, reason }));
  }

  ping(withinMs: number): Promise<Answer> {
    return this.#ask((id) => ({ type: "ping", id }), withinMs);
  }

  stop(reason: string): void {
    this.#connection.send({ type: "stop", reason });
  }

  close(): void {
    this.#connection.close();
  }

  #ask(question: (id: number) => FromControl, withinMs = ANSWER_WITHIN_MS): Promise<Answer> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => settle({ error: "the vrrp process does not answer" }),
        withinMs,
      );
      const settle = (answer: Answer): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answer);
      };
      this.#waiting.set(id, settle);
      if (!this.#connection.send(question(id))) settle({ error: "the vrrp process is gone" });
    });
  }
}

export type Opened =
  | { readonly outcome: "open" | "foreign"; readonly link: VrrpLink }
  | { readonly outcome: "nobody" | "hung" };
