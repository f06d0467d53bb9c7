/**
 * A program of its own: `http-probe-client.ts ADDRESS PORT INTERVAL_MS LIMIT_MS fresh|keep-alive`.
 * Starts a request each interval, whatever became of the earlier ones, as independent users do.
 */
import { Alarm } from "../drivers/alarm.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { HttpConnection } from "./http-exchange.ts";
import { ProbeLog, measureInTime } from "./probe-log.ts";

const [address, port, interval, limit, mode] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const intervalMs = Number(interval);
const limitMs = Number(limit);
const log = new ProbeLog({ target: `http://${address}:${port}/`, intervalMs, limitMs });
const LONGEST_BACKLOG_MS = 20;
/** Requests under way at once: an outage as long as the limit, and some. */
const MAX_UNDER_WAY = 4000;

const host = address.includes(":") ? `[${address}]` : address;
const closing = mode === "fresh" ? "Connection: close\r\n" : "";
const head = `GET / HTTP/1.1\r\nHost: ${host}\r\n${closing}\r\n`;
/** Open and without a request. */
const idle: HttpConnection[] = [];
/** In order of sending, so that the first is always the first to be too late. */
const underWay = new Map<HttpConnection, number>();

measureInTime();
let nextMs = monotonicMs();
let stopped = false;
// Through setImmediate, because `net.connect` goes on in nextTick: see `watchReadable`.
const alarm = new Alarm(() => setImmediate(askDue));
alarm.set(nextMs);
log.tellUntilStopped(() => {
  stopped = true;
  alarm.close();
  for (const connection of [...idle, ...underWay.keys()]) connection.close();
});

function askDue(): void {
  if (stopped) return;
  const now = monotonicMs();
  abandonLate(now);
  nextMs = Math.max(nextMs, now - LONGEST_BACKLOG_MS);
  for (; nextMs <= now && !log.isFull; nextMs += intervalMs) ask();
  alarm.set(log.isFull ? Infinity : nextMs);
}

function ask(): void {
  const sentMs = monotonicMs();
  const probe = log.sent(sentMs);
  if (underWay.size >= MAX_UNDER_WAY) return log.failed();
  const connection = takeIdle() ?? new HttpConnection(address, Number(port));
  underWay.set(connection, sentMs);
  connection.request(head, (answer) => {
    underWay.delete(connection);
    if (answer?.status === 200) log.answered(probe, answer.by, monotonicMs());
    else log.failed();
    if (answer?.reusable === true && connection.isOpen) idle.push(connection);
  });
  return undefined;
}

/** The most recently used first, so that few connections do the work. */
function takeIdle(): HttpConnection | undefined {
  for (let found = idle.pop(); found !== undefined; found = idle.pop()) {
    if (found.isOpen) return found;
  }
  return undefined;
}

function abandonLate(now: number): void {
  for (const [connection, sentMs] of underWay) {
    if (now - sentMs <= limitMs) return;
    connection.close();
  }
}
