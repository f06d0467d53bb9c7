/** One HTTP/1.1 request and its answer on a socket: all that a prober needs, and cheap. */
import { connect } from "node:net";
import type { Socket } from "node:net";

export interface HttpAnswer {
  readonly status: number;
  /** `X-Served-By`, else the first line of the body. */
  readonly by: string;
  /** Whether the connection can carry another request. */
  readonly reusable: boolean;
}

/** Larger answers are none that the lab's servers give. */
const MAX_ANSWER_BYTES = 65_536;

/** A connection with at most one request under way. */
export class HttpConnection {
  readonly #socket: Socket;
  #received = "";
  #done: ((answer: HttpAnswer | undefined) => void) | undefined;
  #closed = false;

  constructor(address: string, port: number) {
    this.#socket = connect({ host: address, port, noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#take(text));
    this.#socket.on("error", () => this.close());
    // Its end is known a moment before the rest of the socket is gone: nothing is asked on it then.
    this.#socket.on("end", () => this.close());
    this.#socket.on("close", () => this.close());
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  /** Calls `done` exactly once: with the answer, or undefined when the connection broke first. */
  request(head: string, done: (answer: HttpAnswer | undefined) => void): void {
    this.#received = "";
    this.#done = done;
    this.#socket.write(head);
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
    this.#finish(undefined);
  }

  #take(text: string): void {
    this.#received += text;
    if (this.#received.length > MAX_ANSWER_BYTES) return this.close();
    const answer = parseAnswer(this.#received);
    if (answer === undefined) return undefined;
    this.#finish(answer);
    if (!answer.reusable) this.close();
    return undefined;
  }

  #finish(answer: HttpAnswer | undefined): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(answer);
  }
}

/** undefined while it is incomplete. Understands answers with a length, as the lab's servers give. */
export function parseAnswer(text: string): HttpAnswer | undefined {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  const body = text.slice(headEnd + 4);
  if (body.length < length) return undefined;
  const served = /^x-served-by: *(.*)$/im.exec(head)?.[1] ?? body.split("\n", 1)[0]!;
  return {
    status: Number(head.slice(9, 12)),
    by: served.trim().slice(0, 64),
    reusable: !/^connection: *close/im.test(head),
  };
}
