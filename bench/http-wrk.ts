/** wrk, with the head that a browser sends, and its figures without rounding. */

import type { Host } from "../src/lab/host.ts";
import { LOAD_CPU } from "./http-stage.ts";

/** About 500 bytes with the request line, as Chromium sends it within a site. */
export const HEADERS: Readonly<Record<string, string>> = {
  Host: "shop.example.com",
  "User-Agent":
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
  "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
  "Accept-Encoding": "gzip, deflate, br",
  DNT: "1",
  Referer: "https://shop.example.com/catalogue/chairs?page=2",
  Cookie: "session=b8f1d6a06cf04a0f9f3c; theme=dark; consent=1; _ga=GA1.2.1184",
};

export interface Asked {
  /** `https://127.0.0.1:8103/2` */
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** A connection for each request. */
  readonly fresh: boolean;
}

export interface Told {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Answers other than 2xx and 3xx, broken connections and time-outs. */
  readonly errors: number;
}

export async function wrk(host: Host, asked: Asked): Promise<Told> {
  const script = host.write(`/run/bench/${asked.fresh ? "fresh" : "kept"}.lua`, lua(asked.fresh));
  const { connections, seconds, url } = asked;
  const words = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "-s", script];
  const argv = ["taskset", "-c", LOAD_CPU, "wrk", ...words, url];
  const output = await host.run(argv, { timeoutMs: seconds * 1000 + 30_000 });
  const line = /^FIGURES (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk said: ${output}`);
  const [requests, us, p50, p99, p999, errors] = line.split(" ").map(Number) as Six;
  return {
    requests,
    perSecond: requests / (us / 1e6),
    p50Ms: p50 / 1000,
    p99Ms: p99 / 1000,
    p999Ms: p999 / 1000,
    errors,
  };
}

type Six = [number, number, number, number, number, number];

/** No function per request: wrk would call it for each. */
function lua(fresh: boolean): string {
  const headers = fresh ? { ...HEADERS, Connection: "close" } : HEADERS;
  const lines = Object.entries(headers).map(
    ([name, value]) => `wrk.headers["${name}"] = "${value}"`,
  );
  return `${lines.join("\n")}
function done(summary, latency, requests)
  local e = summary.errors
  local errors = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format("\\nFIGURES %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), errors))
end
`;
}
