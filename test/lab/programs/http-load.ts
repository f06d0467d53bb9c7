/**
 * A program of its own: `http-load.ts HOST PORT USERS PAUSE_MS`. That many users send one request
 * after the other over kept connections until standard input ends; then it prints what became of
 * them as one line of JSON. Every request that has no whole answer of status 200 has failed.
 */

import { Agent, request, type IncomingMessage } from "node:http";

const [host = "", port = "", users = "1", pauseMs = "0"] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(users), scheduling: "fifo" });
const MAX_TOLD = 20;
const report = {
  good: 0,
  failed: 0,
  longestMs: 0,
  /** Of all, failed ones included. */
  p50Ms: 0,
  p99Ms: 0,
  failures: [] as string[],
  bodies: {} as Record<string, number>,
};
const times: number[] = [];
const stopping = new AbortController();

function ask(): Promise<void> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const done = (trouble: string | undefined, body = ""): void => {
      const tookMs = performance.now() - startedMs;
      report.longestMs = Math.max(report.longestMs, tookMs);
      times.push(tookMs);
      if (trouble === undefined) {
        report.good++;
        report.bodies[body] = (report.bodies[body] ?? 0) + 1;
      } else {
        report.failed++;
        const at = `${Math.round(startedMs)} ms, after ${Math.round(tookMs)} ms`;
        if (report.failures.length < MAX_TOLD) report.failures.push(`${trouble} (${at})`);
      }
      resolve();
    };
    const call = request({ host, port, agent, path: "/" }, (answer: IncomingMessage) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (text: string) => (body += text));
      answer.once("error", (error) => done(error.message));
      answer.once("end", () => {
        const { statusCode } = answer;
        if (!answer.complete) done("cut short");
        else done(statusCode === 200 ? undefined : `status ${statusCode}: ${body}`, body.trim());
      });
    });
    call.once("error", (error) => done(`${error.message}${call.reusedSocket ? " (kept)" : ""}`));
    call.end();
  });
}

async function user(): Promise<void> {
  while (!stopping.signal.aborted) {
    await ask();
    await new Promise((resolve) => setTimeout(resolve, Number(pauseMs)));
  }
}

process.stdin.resume().on("end", () => stopping.abort());
await Promise.all(Array.from({ length: Number(users) }, () => user()));
agent.destroy();
times.sort((a, b) => a - b);
report.p50Ms = times[Math.floor(times.length * 0.5)] ?? 0;
report.p99Ms = times[Math.floor(times.length * 0.99)] ?? 0;
process.stdout.write(`${JSON.stringify(report)}\n`);
