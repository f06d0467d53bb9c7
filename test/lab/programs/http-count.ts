/**
 * A program of its own: `http-count.ts PORT OUT`. node:http as it is, which answers every request
 * with the id that it has seen and notes it, what it refuses included.
 */

import { createWriteStream } from "node:fs";
import { createServer } from "node:http";
import type { Socket } from "node:net";

const [port = "0", out = ""] = process.argv.slice(2);
const log = createWriteStream(out);
const connections = new WeakMap<Socket, number>();
let lastConnection = 0;

const server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
  const id = String(request.headers["x-fuzz-id"] ?? "-");
  note(id, request.socket, 200);
  request.resume();
  request.once("end", () => {
    response.setHeader("x-seen", id);
    response.end();
  });
});
server.on("connection", (socket: Socket) => connections.set(socket, ++lastConnection));
server.on("clientError", (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
  // A connection that broke is no request that was refused.
  if (error.code?.startsWith("HPE_") === true && error.code !== "HPE_INVALID_EOF_STATE") {
    const packet = error.rawPacket?.toString("latin1") ?? "";
    note(/x-fuzz-id: ([0-9a-f]{32})\r/.exec(packet)?.[1] ?? "-", socket as Socket, 400);
  }
  if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
});
server.listen(Number(port));

function note(id: string, socket: Socket, status: number): void {
  log.write(`${JSON.stringify({ id, on: String(connections.get(socket)), status })}\n`);
}
