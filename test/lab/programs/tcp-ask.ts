/**
 * `tcp-ask.ts ADDRESS FILE`: says what each question has to say and prints as JSON what came of it.
 * A connection is over when the other side has ended it, or after five seconds.
 */

import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface TcpQuestion {
  readonly port: number;
  readonly tls?: boolean;
  readonly say: string;
  /** The client ends its half after that. */
  readonly ends?: boolean;
  /** So many connections one after the other; default 1. */
  readonly times?: number;
  /** ... or all at the same time. */
  readonly together?: boolean;
}

export interface TcpAnswer {
  readonly text: string;
  readonly bytes: number;
  /** `end`, `time` or the errno's name. */
  readonly how: string;
  readonly ms: number;
}

const WITHIN_MS = 5_000;
const SHOWN = 500;

const [address = "", file = ""] = process.argv.slice(2);
const answers: TcpAnswer[][] = [];
for (const question of JSON.parse(readFileSync(file, "utf8")) as TcpQuestion[]) {
  const { times = 1, together = false } = question;
  const all: Promise<TcpAnswer>[] = [];
  for (let i = 0; i < times; i++) {
    all.push(ask(question));
    if (!together) await all.at(-1);
  }
  answers.push(await Promise.all(all));
}
console.log(JSON.stringify(answers));

function ask({ port, tls = false, say, ends = false }: TcpQuestion): Promise<TcpAnswer> {
  const startedMs = performance.now();
  const plain = { host: address, port, allowHalfOpen: true };
  const socket: Socket = tls ? connectTls({ ...plain, rejectUnauthorized: false }) : connect(plain);
  let [text, bytes] = ["", 0];
  if (ends) socket.end(say);
  else socket.write(say);
  return new Promise((resolve) => {
    const over = (how: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, bytes, how, ms: performance.now() - startedMs });
    };
    const timer = setTimeout(() => over("time"), WITHIN_MS);
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (text.length < SHOWN) text += chunk.subarray(0, SHOWN - text.length).toString("latin1");
    });
    socket.once("end", () => over("end"));
    socket.once("error", (error: NodeJS.ErrnoException) => over(error.code ?? error.message));
  });
}
