/**
 * Newline-delimited JSON over a unix socket, with bounds on both sides. A reader that does not
 * keep up is dropped instead of waited for: whoever writes here also sends adverts.
 */

import { createConnection, createServer, type Server, type Socket } from "node:net";
import { chmodSync, unlinkSync } from "node:fs";
import { decodeLine, encodeLine, type Message } from "./role-protocol.ts";

/** Bytes that may wait for a reader; 255 instances' status is about 400 kB. */
const MAX_UNSENT = 8 * 1024 * 1024;
/** Longest line that is believed; a configuration of 255 instances is about 1 MB. */
const MAX_LINE = 16 * 1024 * 1024;
/** Clients at once, unless somebody has more workers: two roles and their successors. */
const MAX_CLIENTS = 8;

export interface LineConnection<Outgoing> {
  /** False when the connection is gone or was just dropped for being too slow. */
  send(message: Outgoing): boolean;
  close(): void;
}

export interface LineHandlers<Incoming> {
  message(message: Incoming): void;
  /** Once, whatever the reason. Not after `close()`. */
  closed(): void;
}

/** Serves `path` (mode 0600). A socket file that nobody listens on is replaced. */
export function serveLines<Incoming extends Message, Outgoing extends Message>(
  path: string,
  accept: (connection: LineConnection<Outgoing>) => LineHandlers<Incoming>,
  maxClients: number = MAX_CLIENTS,
): Promise<Server> {
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    if (clients.size >= maxClients) {
      socket.destroy();
      return;
    }
    clients.add(socket);
    socket.once("close", () => clients.delete(socket));
    // The handlers exist only after `accept` was given the connection they answer on.
    const late: { handlers?: LineHandlers<Incoming> } = {};
    const connection = wrap<Incoming, Outgoing>(socket, {
      message: (message) => late.handlers?.message(message),
      closed: () => late.handlers?.closed(),
    });
    late.handlers = accept(connection);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    removeStaleSocket(path);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve(server);
    });
  });
}

/** Rejects with the errno error (ENOENT, ECONNREFUSED: nobody there) of the connect. */
export function connectLines<Incoming extends Message, Outgoing extends Message>(
  path: string,
  handlers: LineHandlers<Incoming>,
): Promise<LineConnection<Outgoing>> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(wrap<Incoming, Outgoing>(socket, handlers));
    });
  });
}

/** True when somebody listens on the unix socket `path`, be it one who hangs and whose queue is full (EAGAIN). */
export function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => {
      resolve(code === "EAGAIN");
    });
  });
}

/** The caller has made sure (`isServed`) that nobody listens on it. */
export function removeStaleSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function wrap<Incoming extends Message, Outgoing extends Message>(
  socket: Socket,
  handlers: LineHandlers<Incoming>,
): LineConnection<Outgoing> {
  let told = false;
  const split = lineSplitter((line) => {
    const message = decodeLine(line) as Incoming | undefined;
    if (message === undefined) socket.destroy();
    else handlers.message(message);
  });
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    if (!split(chunk)) socket.destroy();
  });
  // An error is always followed by "close", which is where the loss is told.
  socket.on("error", () => {});
  socket.on("close", () => {
    if (told) return;
    told = true;
    handlers.closed();
  });
  return {
    send(message): boolean {
      if (socket.destroyed) return false;
      socket.write(encodeLine(message));
      if (socket.writableLength <= MAX_UNSENT) return true;
      socket.destroy();
      return false;
    },
    close(): void {
      told = true;
      socket.end();
    },
  };
}

/** Calls `take` per complete line; the returned function is false once a line is too long. */
export function lineSplitter(take: (line: string) => void): (chunk: string) => boolean {
  let parts: string[] = [];
  let pending = 0;
  return (chunk) => {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf("\n", start);
      if (end < 0) break;
      parts.push(chunk.slice(start, end));
      const line = parts.join("");
      parts = [];
      pending = 0;
      start = end + 1;
      if (line !== "") take(line);
    }
    if (start < chunk.length) parts.push(chunk.slice(start));
    pending += chunk.length - start;
    return pending <= MAX_LINE;
  };
}
