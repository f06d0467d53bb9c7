/** The demo as text: an introduction, each experiment, and the table at the end. */

import { formatDuration } from "../../lib/duration.ts";
import { formatTable } from "../../lib/table.ts";
import type { Experiment } from "./experiments.ts";
import type { Result } from "./performance.ts";
import { CLIENT_ADDRESS, VIRTUAL_ADDRESS, type Stage } from "./stage.ts";

export interface Style {
  readonly bold: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly faint: (text: string) => string;
}

const plain = (text: string): string => text;
const wrap =
  (code: string) =>
  (text: string): string =>
    `\u001B[${code}m${text}\u001B[0m`;

export function style(colour: boolean): Style {
  if (!colour) return { bold: plain, good: plain, bad: plain, faint: plain };
  return { bold: wrap("1"), good: wrap("32"), bad: wrap("31"), faint: wrap("2") };
}

export function introduction(stage: Stage, s: Style): string {
  const web = stage.webServer === "nginx" ? "nginx" : "a small web server (nginx is not installed)";
  return [
    s.bold("Two servers, one address"),
    "",
    `  client    ${CLIENT_ADDRESS}    asks ${VIRTUAL_ADDRESS} a thousand times a second`,
    "  server01  192.168.17.102   priority 150, the master",
    "  server03  192.168.17.101   priority 100, the backup",
    "",
    `  Each server runs ${web} and Nines with the keepalived.conf of samples/seeds;`,
    "  a check script looks every 3 s whether the web server lives.",
    "",
  ].join("\n");
}

export function announce(number: number, experiment: Experiment, s: Style): string {
  return `${s.bold(`${number}. ${experiment.title}`)}\n   ${experiment.says}`;
}

export function conclusion(result: Result, s: Style): string {
  const { requests, failed, outageMs, broken, experiment } = result;
  const verdict =
    broken === undefined ? s.good("as promised") : s.bad(`NOT as promised: ${broken}`);
  return [
    `   ${requests} requests, ${failed} failed, out for ${formatDuration(outageMs)}` +
      ` (promised: ${experiment.promise.text})`,
    `   ${verdict}`,
    "",
  ].join("\n");
}

export function summary(results: readonly Result[], s: Style): string {
  const rows = results.map((r) => [
    r.experiment.title,
    String(r.requests),
    String(r.failed),
    formatDuration(r.outageMs),
    r.taker,
    r.broken === undefined ? s.good("kept") : s.bad("BROKEN"),
    r.why,
  ]);
  const head = ["experiment", "requests", "failed", "outage", "answers now", "promise", "why"];
  return formatTable(head, rows).join("\n");
}
