/**
 * A forwarder that makes servers slow or wrong, for kernels without netem: it delays what they answer,
 * or answers in their place. TCP only; nftables sends the director's connections here.
 */

import { createConnection, createServer, type Server, type Socket } from "node:net";

export interface Forwarding {
  /** A port of the loopback -> `HOST:PORT`. */
  readonly map: readonly { readonly port: number; readonly host: string; readonly to: number }[];
  /** Each piece of an answer comes so much later. */
  readonly delayMs: number;
  /** Instead of forwarding: every request gets this status. */
  readonly answer?: number;
  /** Connections of this group are not diverted again. */
  readonly group: number;
}

/** Resolves when all ports are open; they stay so until the process ends. */
export async function forward(settings: Forwarding): Promise<void> {
  process.on("SIGTERM", leave);
  // A diverted connection that nobody may mark would come back to us for ever.
  process.setgid!(settings.group);
  const { answer, delayMs } = settings;
  for (const { port, host, to } of settings.map) {
    const serve = (client: Socket): void => {
      client.on("error", () => client.destroy());
      if (answer !== undefined) answerAll(client, answer);
      else relay(client, createConnection({ host, port: to }), delayMs);
    };
    await listen(createServer({ allowHalfOpen: true }, serve), port);
  }
}

/** Under way now; in each direction what is said last counts. */
const relays = new Set<{ readonly client: Socket; lastMs: number }>();
const LOOK_EVERY_MS = 50;
const SILENT_MS = 200;
const LEAVE_WITHIN_MS = 2000;

/** Each connection ends when nothing is said on it, as a server ends idle ones. */
function leave(): void {
  const started = performance.now();
  setInterval(() => {
    const now = performance.now();
    for (const one of relays) if (now - one.lastMs > SILENT_MS) one.client.end();
    if (relays.size === 0 || now - started > LEAVE_WITHIN_MS) process.exit(0);
  }, LOOK_EVERY_MS);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "::", () => resolve());
  });
}

/** Of each request only its end is looked at: bodies would need more, and checks send none. */
function answerAll(client: Socket, status: number): void {
  let seen = "";
  const text = `HTTP/1.1 ${status} Drill\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\ndrill\n`;
  client.setEncoding("latin1").on("data", (chunk: string) => {
    seen = (seen + chunk).slice(-MAX_HEAD);
    for (let end = seen.indexOf(END_OF_HEAD); end >= 0; end = seen.indexOf(END_OF_HEAD)) {
      seen = seen.slice(end + END_OF_HEAD.length);
      client.write(text);
    }
  });
  client.once("end", () => client.end());
}

const END_OF_HEAD = "\r\n\r\n";
const MAX_HEAD = 65_536;

function relay(client: Socket, server: Socket, delayMs: number): void {
  const one = { client, lastMs: performance.now() };
  relays.add(one);
  server.on("error", () => client.destroy());
  client.once("close", () => {
    relays.delete(one);
    server.destroy();
  });
  client.on("data", () => (one.lastMs = performance.now()));
  client.pipe(server);
  const later = (work: () => void): void => {
    // Timers of one length end in the order in which they began; no timer overtakes them.
    setTimeout(work, delayMs);
    one.lastMs = performance.now() + delayMs;
  };
  server.on("data", (chunk: Buffer) => later(() => client.write(chunk)));
  server.once("end", () => later(() => client.end()));
}
