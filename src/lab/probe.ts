/** Probers and what they ask: separate processes inside hosts, so that they see what users see. */
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Host } from "./host.ts";
import type { LabProcess } from "./process.ts";
import type { ProbeLine, ProbeNews } from "./probe-log.ts";
import type { ProbeRecord } from "../core/drill/probe-record.ts";
import { waitFor } from "./wait.ts";

export interface ProbeOptions {
  /** 1 by default. */
  readonly intervalMs?: number;
  /** Later answers do not count: 200 by default, 1000 for HTTP. */
  readonly limitMs?: number;
  readonly name?: string;
}

export interface HttpProbeOptions extends ProbeOptions {
  /** A connection per request, or few that are used again (default). */
  readonly connections?: "fresh" | "keep-alive";
}

const ECHO_PORT = 7007;

/** A prober at work. */
export class Probe {
  readonly process: LabProcess;
  #latest: ProbeNews = { sent: 0, answered: 0, failed: 0, lastAnswerMs: -1, lastBy: "", nowMs: 0 };
  readonly #record: Promise<ProbeRecord>;

  constructor(running: LabProcess) {
    this.process = running;
    this.#record = this.#listen();
    // Who never calls `stop` must not be troubled by a prober that ended without a record.
    this.#record.catch(() => {});
  }

  /** Not older than about 20 ms. */
  get latest(): ProbeNews {
    return this.#latest;
  }

  /** Resolves when `by` (anybody, when left out) answers a probe, from now on. */
  async untilAnswered(by?: string, timeoutMs = 10_000): Promise<void> {
    const known = this.#latest.answered;
    await waitFor(
      () => this.#latest.answered > known && (by === undefined || this.#latest.lastBy === by),
      timeoutMs,
      `an answer from ${by ?? "anybody"}`,
    );
  }

  /** Ends the prober. Resolves to all that it saw. */
  stop(): Promise<ProbeRecord> {
    this.process.stdin!.end();
    return this.#record;
  }

  async #listen(): Promise<ProbeRecord> {
    const lines = createInterface({ input: this.process.stdout! });
    for await (const text of lines) {
      const line = JSON.parse(text) as ProbeLine;
      if ("record" in line) return line.record;
      this.#latest = line.news;
    }
    throw new Error(`${this.process.name} ended without a record: ${this.process.log}`);
  }
}

/** One datagram per interval to `address`, which an echo server answers. */
export async function startUdpProbe(
  from: Host,
  address: string,
  options: ProbeOptions = {},
): Promise<Probe> {
  const { intervalMs = 1, limitMs = 200, name = "udp-probe" } = options;
  const numbers = [ECHO_PORT, intervalMs, limitMs].map(String);
  const argv = [...labProgram("udp-probe-client"), address, ...numbers];
  return new Probe(await from.start(argv, { name, talk: true }));
}

/** One GET per interval to port 80 of `address`. */
export async function startHttpProbe(
  from: Host,
  address: string,
  options: HttpProbeOptions = {},
): Promise<Probe> {
  const { intervalMs = 1, limitMs = 1000, name = "http-probe" } = options;
  const numbers = [80, intervalMs, limitMs].map(String);
  const mode = options.connections ?? "keep-alive";
  const argv = [...labProgram("http-probe-client"), address, ...numbers, mode];
  return new Probe(await from.start(argv, { name, talk: true }));
}

/** Answers probes to `addresses` with the host's name, also addresses that come later. */
export async function startEchoServer(
  host: Host,
  addresses: readonly string[],
): Promise<LabProcess> {
  await host.run(["sh", "-c", NONLOCAL_BIND]);
  const argv = [...labProgram("echo-server"), host.name, String(ECHO_PORT), ...addresses];
  const server = await host.start(argv, { name: "echo" });
  const last = `listening on ${addresses.at(-1)}`;
  await waitFor(() => server.log.includes(last), 5000, `the echo server of ${host.name}`);
  return server;
}

/** The small web server that comes with the lab, on port 80. */
export async function startWebServer(host: Host): Promise<LabProcess> {
  const server = await host.start(labProgram("web-server", host.name, "80"), { name: "web" });
  await waitFor(() => server.log.includes("listening"), 5000, `the web server of ${host.name}`);
  return server;
}

const NONLOCAL_BIND = `
echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind
echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind || true
`;

/** One of the lab's own programs, run by the Node that runs us, from sources or as built. */
export function labProgram(name: string, ...argv: readonly string[]): string[] {
  const file = new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
  return [process.execPath, "--max-old-space-size=128", fileURLToPath(file), ...argv];
}
