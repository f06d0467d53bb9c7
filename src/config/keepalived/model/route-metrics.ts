/** Metrics of a route line, in the numbers that the kernel keeps: ip-route(8), rtnetlink(7). */

import type { RouteMetric, RouteSettings } from "../../../core/vrrp/settings.ts";
import type { Findings } from "../../diagnostic.ts";
import type { Word } from "../source-line.ts";

const PLAIN = [
  "mtu",
  "window",
  "ssthresh",
  "cwnd",
  "advmss",
  "reordering",
  "hoplimit",
  "initcwnd",
  "initrwnd",
  "quickack",
  "fastopen_no_cookie",
] as const;

/** Times that the kernel counts in fractions of a millisecond; a number alone is taken as it is. */
const TIMES: Readonly<Partial<Record<RouteMetric, number>>> = { rtt: 8, rttvar: 4, rto_min: 1 };

/** RTAX_FEATURE_*. */
const FEATURES: Readonly<Record<string, number>> = { ecn: 1, tcp_usec_ts: 16 };

const ALL: readonly RouteMetric[] = [...PLAIN, "rtt", "rttvar", "rto_min", "features"];

export function metricNamed(text: string): RouteMetric | undefined {
  return ALL.find((name) => name === text);
}

export function readMetrics(
  words: ReadonlyMap<RouteMetric, Word>,
  findings: Findings,
): RouteSettings["metrics"] {
  const metrics: Partial<Record<RouteMetric, number>> = {};
  for (const [name, word] of words) {
    const value = readMetric(name, word.text);
    if (value !== undefined) metrics[name] = value;
    else findings.error(word, `${name} '${word.text}' is wrong`, nextFor(name));
  }
  return words.size === 0 ? undefined : metrics;
}

function readMetric(name: RouteMetric, text: string): number | undefined {
  if (name === "features") return FEATURES[text];
  const match = /^(\d+(?:\.\d+)?)(ms|msec|msecs|s|sec|secs)?$/u.exec(text);
  if (match === null) return undefined;
  const fraction = TIMES[name];
  const unit = match[2];
  if (unit !== undefined && fraction === undefined) return undefined;
  const milliseconds = Number(match[1]) * (unit?.startsWith("s") === true ? 1000 : 1);
  const value = milliseconds * (unit === undefined ? 1 : fraction!);
  return Number.isInteger(value) && value <= 0xffff_ffff ? value : undefined;
}

function nextFor(name: RouteMetric): string {
  if (name === "features") return `known are: ${Object.keys(FEATURES).join(" ")}`;
  return TIMES[name] === undefined ? "write a whole number" : "write a number, 20ms or 1s";
}
