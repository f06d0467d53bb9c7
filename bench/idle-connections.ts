/**
 * A program of its own: `idle-connections.ts PORT COUNT [tls]` asks once over each of COUNT connections,
 * says `open` when all were answered, and holds them until its standard input ends.
 */

import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const isTls = process.argv[4] === "tls";
/** Connections that are being opened at once. */
const AT_ONCE = 100;
const REQUEST = "GET /2 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n";

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const to = { port, host: "127.0.0.1" };
    const socket = isTls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed by the proxy")));
    socket.once("data", () => resolve(socket));
    socket.write(REQUEST);
  });
}

const sockets: Socket[] = [];
while (sockets.length < count) {
  const some = Math.min(AT_ONCE, count - sockets.length);
  sockets.push(...(await Promise.all(Array.from({ length: some }, open))));
}
for (const socket of sockets) {
  socket.once("close", () => {
    throw new Error("the proxy closed an idle connection");
  });
}
process.stdout.write("open\n");
process.stdin.resume().on("end", () => process.exit());
