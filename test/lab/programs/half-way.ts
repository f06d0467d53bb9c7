/**
 * In a network namespace of its own: a client that is half way in - it has the answer to its SYN, its own
 * and its request are lost - when newcomers begin to be held back. Prints what was heard of it, and
 * whether a newcomer got in, as JSON.
 */

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { attachFilter, NO_NEWCOMERS } from "../../../src/drivers/packet-filter.ts";
import { openListener } from "../../../src/drivers/stream-listener.ts";

const PORT = 8080;
/** A lost segment is sent again after 200 ms, a lost SYN after 1 s. */
const AGAIN_MS = 700;

function sh(...lines: readonly string[]): void {
  execFileSync("/bin/sh", ["-ec", lines.join("\n")]);
}

sh("ip link set lo up");
const fd = openListener({ kind: "ip", address: "127.0.0.1", port: PORT });
if (typeof fd !== "number") throw new Error(fd.message);
let heard = "";
const server = createServer((socket) => socket.on("data", (data) => (heard += data.toString())));
server.listen({ fd });
await once(server, "listening");
sh(
  "nft add table inet halfway",
  "nft 'add chain inet halfway input { type filter hook input priority 0; }'",
  `nft 'add rule inet halfway input tcp dport ${PORT} tcp flags & (syn | ack) == ack drop'`,
);
const client = connect(PORT, "127.0.0.1");
await once(client, "connect");
client.write("request");
const status = attachFilter(fd, NO_NEWCOMERS);
sh("nft delete table inet halfway");
const newcomer = connect(PORT, "127.0.0.1");
let isIn = false;
newcomer.once("connect", () => (isIn = true));
await sleep(AGAIN_MS);
process.stdout.write(JSON.stringify({ status, heard, isIn }), () => process.exit(0));
