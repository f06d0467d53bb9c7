/**
 * `tcp-mirror.ts PEM NAME PORT …`: servers that answer each line with their name and that line, and the
 * end of a stream with how much had come. A few lines are orders. Ports above 9400 speak TLS.
 */

import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

const FIRST_TLS_PORT = 9400;
/** `PROXY`, version 2. */
const SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");

const [pem = "", ...words] = process.argv.slice(2);
let left = words.length / 2;
for (let i = 0; i < words.length; i += 2) {
  const [name, port] = [words[i]!, Number(words[i + 1])];
  const secret = readFileSync(pem);
  const server =
    port < FIRST_TLS_PORT
      ? createServer({ allowHalfOpen: true }, (socket) => serve(name, socket))
      : createTlsServer({ allowHalfOpen: true, cert: secret, key: secret }, (socket) =>
          serve(name, socket),
        );
  server.listen(port, "127.0.0.1", () => {
    if (--left === 0) process.stdout.write("listening\n");
  });
}

function serve(name: string, socket: Socket): void {
  let count = 0;
  let rest: Buffer = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    count += chunk.length;
    rest = Buffer.concat([rest, chunk]);
    if (rest.subarray(0, SIGNATURE.length).equals(SIGNATURE)) rest = packed(name, socket, rest);
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      obey(name, socket, rest.subarray(0, at).toString().trimEnd());
      rest = rest.subarray(at + 1);
    }
  });
  socket.on("end", () => socket.end(`${name} end ${count}\n`));
}

function obey(name: string, socket: Socket, line: string): void {
  const [word, figure] = line.split(" ");
  if (word === "hush") return;
  if (word === "bye") socket.end(`${name} leaves\n`);
  else if (word === "cut") socket.resetAndDestroy();
  else if (word === "send") socket.write(Buffer.alloc(Number(figure), "x"));
  else socket.write(`${name} ${line}\n`);
}

/** What it says of the client; what follows it. IPv4 only. */
function packed(name: string, socket: Socket, bytes: Buffer): Buffer {
  const end = 16 + bytes.readUInt16BE(14);
  const [from, to] = [bytes.subarray(16, 20), bytes.subarray(20, 24)].map((four) => four.join("."));
  socket.write(`${name} PROXY v2 ${from} ${to}\n`);
  return bytes.subarray(end);
}
