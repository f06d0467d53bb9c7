/**
 * A program of its own: `http2-load.ts ORIGIN USERS`. Each user has an HTTP/2 connection and sends
 * three requests at a time over it until standard input ends; when the other side lets it go, it
 * opens another one. Then one line of JSON is printed. A request without a whole answer of status
 * 200 has failed, unless it was refused unseen: node's client does so itself when it learns of the
 * end while a request is on its way out, and who gets that sends it again (RFC 9113 section 8.7).
 */

import { connect, constants, type ClientHttp2Session } from "node:http2";

const [origin = "", users = "1"] = process.argv.slice(2);
const PAUSE_MS = 3;
const AT_ONCE = 3;
const MAX_TOLD = 20;
const report = { good: 0, connections: 0, failures: [] as string[] };
const stopping = new AbortController();

function fail(reason: string): void {
  if (report.failures.length < MAX_TOLD) report.failures.push(reason);
}

function ask(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    // It was let go between two requests.
    if (session.closed || session.destroyed) {
      resolve();
      return;
    }
    const stream = session.request({ ":path": "/" });
    let status: number | undefined;
    stream.on("response", (headers) => (status = headers[":status"]));
    stream.on("error", () => {});
    stream.on("close", () => {
      if (status === 200 && stream.rstCode === 0) report.good++;
      else if (stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM)
        fail(`status ${status}, reset ${stream.rstCode}`);
      resolve();
    });
    stream.resume().end();
  });
}

async function user(): Promise<void> {
  while (!stopping.signal.aborted) {
    const session = connect(origin, { rejectUnauthorized: false });
    session.on("error", (error) => fail(error.message));
    report.connections++;
    while (!stopping.signal.aborted && !session.closed && !session.destroyed) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => ask(session)));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    session.close();
  }
}

process.stdin.resume().on("end", () => stopping.abort());
await Promise.all(Array.from({ length: Number(users) }, () => user()));
process.stdout.write(`${JSON.stringify(report)}\n`);
