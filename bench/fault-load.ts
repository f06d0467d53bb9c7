/**
 * A program of its own: `fault-load.ts ADDRESS PORT KEPT FRESH PAUSE_MS`. KEPT users send one GET
 * after the other over a connection that they keep, FRESH users open one for each. When standard
 * input ends it prints what became of the requests, as one line of JSON.
 */

import { setTimeout as pause } from "node:timers/promises";
import { HttpConnection, type HttpAnswer } from "../src/lab/http-exchange.ts";
import type { LoadTotals } from "./faults-stage.ts";

const [address = "", ...numbers] = process.argv.slice(2);
const [port = 0, kept = 0, fresh = 0, pauseMs = 0] = numbers.map(Number);
const LATE_MS = 1000;
/** Whoever has no answer by then gives up: that request has failed. */
const GIVE_UP_MS = 10_000;

const totals: LoadTotals = { requests: 0, failed: 0, late: 0, longestMs: 0, reasons: {} };
const stopping = new AbortController();

function ask(connection: HttpConnection, head: string): Promise<HttpAnswer | undefined> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => connection.close(), GIVE_UP_MS);
    connection.request(head, (answer) => {
      clearTimeout(limit);
      resolve(answer);
    });
  });
}

function note(answer: HttpAnswer | undefined, tookMs: number, kind: string): void {
  totals.requests++;
  totals.longestMs = Math.max(totals.longestMs, tookMs);
  if (tookMs > LATE_MS) totals.late++;
  if (answer?.status === 200) return;
  totals.failed++;
  const broken = tookMs >= GIVE_UP_MS ? "no answer" : "broken";
  const reason = `${answer === undefined ? broken : answer.status} (${kind})`;
  totals.reasons[reason] = (totals.reasons[reason] ?? 0) + 1;
}

async function user(keeps: boolean): Promise<void> {
  const closing = keeps ? "" : "Connection: close\r\n";
  const head = `GET /page HTTP/1.1\r\nHost: shop.example.com\r\n${closing}\r\n`;
  let connection: HttpConnection | undefined;
  // Not all at the same moment.
  await pause(Math.random() * pauseMs);
  while (!stopping.signal.aborted) {
    const isOld = connection?.isOpen === true;
    const now = isOld ? connection! : new HttpConnection(address, port);
    const startedMs = performance.now();
    const answer = await ask(now, head);
    note(answer, performance.now() - startedMs, isOld ? "kept" : "new");
    connection = keeps ? now : undefined;
    if (!keeps) now.close();
    await pause(pauseMs);
  }
  connection?.close();
}

process.stdin.resume().on("end", () => stopping.abort());
await Promise.all([
  ...Array.from({ length: kept }, () => user(true)),
  ...Array.from({ length: fresh }, () => user(false)),
]);
process.stdout.write(`${JSON.stringify(totals)}\n`);
