/**
 * A program of its own: `udp-probe-client.ts ADDRESS PORT INTERVAL_MS LIMIT_MS`. Sends a numbered
 * datagram each interval; the socket is connected, so that only the asked address can answer.
 */
import { createSocket } from "node:dgram";
import { Alarm } from "../drivers/alarm.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { ProbeLog, measureInTime } from "./probe-log.ts";

const [address, port, interval, limit] = process.argv.slice(2) as [string, string, string, string];
const intervalMs = Number(interval);
const log = new ProbeLog({ target: `${address}:${port}`, intervalMs, limitMs: Number(limit) });
/** After a pause of our own (a starved machine) it goes on from now: no burst of old probes. */
const LONGEST_BACKLOG_MS = 20;

measureInTime();
const socket = createSocket({
  type: address.includes(":") ? "udp6" : "udp4",
  recvBufferSize: 1 << 20,
});
// "Host unreachable" and "port unreachable" are what an outage looks like.
socket.on("error", () => log.failed());
socket.on("message", (message) => {
  const now = monotonicMs();
  if (message.length >= 4) log.answered(message.readUInt32BE(0), message.toString("utf8", 4), now);
});
socket.connect(Number(port), address, () => {
  let nextMs = monotonicMs();
  const alarm = new Alarm(() => {
    const now = monotonicMs();
    nextMs = Math.max(nextMs, now - LONGEST_BACKLOG_MS);
    for (; nextMs <= now && !log.isFull; nextMs += intervalMs) send();
    alarm.set(log.isFull ? Infinity : nextMs);
  });
  alarm.set(nextMs);
  log.tellUntilStopped(() => {
    alarm.close();
    socket.close();
  });
});

function send(): void {
  const probe = Buffer.alloc(4);
  probe.writeUInt32BE(log.sent(monotonicMs()));
  socket.send(probe, (error) => {
    if (error !== null) log.failed();
  });
}
