/**
 * A program of its own: `echo-server.ts NAME PORT ADDRESS…`. Answers each datagram with its first
 * four bytes and NAME, from the very address that was asked. It binds addresses that are not here
 * yet (`ip_nonlocal_bind` must be on).
 */
import { createSocket } from "node:dgram";
import { measureInTime } from "./probe-log.ts";

const [name, port, ...addresses] = process.argv.slice(2) as [string, string, ...string[]];
measureInTime();
const suffix = Buffer.from(name);

for (const address of addresses) {
  const socket = createSocket({ type: address.includes(":") ? "udp6" : "udp4" });
  socket.on("message", (message, from) => {
    const answer = Buffer.concat([message.subarray(0, 4), suffix]);
    // An answer that cannot be sent is a lost answer; the client counts it.
    socket.send(answer, from.port, from.address, () => {});
  });
  socket.bind(Number(port), address, () => process.stdout.write(`listening on ${address}\n`));
}
