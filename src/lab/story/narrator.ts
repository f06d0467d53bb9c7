/** The demo as text: an introduction, each experiment, and the table at the end. */

import { formatDuration } from "../../lib/duration.ts";
import { formatTable } from "../../lib/table.ts";
import type { Experiment } from "./experiments.ts";
import type { Farm } from "./farm.ts";
import type { Result } from "./performance.ts";
import type { SceneResult } from "./scene-performance.ts";
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

export function pageAddress(url: string, isReachable: boolean, s: Style): string {
  return isReachable
    ? `${s.bold("The page of these nodes")}: ${url} - open it and watch\n`
    : s.faint("The page of these nodes can be watched when root starts the demo.\n");
}

export function reportPlace(path: string, s: Style): string {
  return `${s.bold("The same as a page")}: file://${path}`;
}

export function introduction(stage: Stage, s: Style): string {
  return [
    s.bold("Two servers, one address"),
    "",
    `  client    ${CLIENT_ADDRESS}    asks ${VIRTUAL_ADDRESS} a thousand times a second`,
    "  server01  192.168.17.102   priority 150, the master",
    "  server03  192.168.17.101   priority 100, the backup",
    "",
    `  Each server runs ${nameOf(stage.webServer)} and Nines with the keepalived.conf of samples/seeds;`,
    "  a check script looks every 3 s whether the web server lives.",
    "",
  ].join("\n");
}

function nameOf(webServer: Stage["webServer"]): string {
  return webServer === "nginx" ? "nginx" : "a small web server (nginx is not installed)";
}

export function farmIntroduction(farm: Farm, s: Style): string {
  return [
    s.bold("Three web servers behind the address"),
    "",
    `  client    ${CLIENT_ADDRESS}    asks ${VIRTUAL_ADDRESS} five hundred times a second`,
    "  lb1, lb2  192.168.17.101 and .102 share the address (VRRP) and balance",
    `  web1-3    192.168.17.11 to .13    run ${nameOf(farm.webServer)}`,
    "",
    "  Both directors run Nines with samples/demo/nines.yaml: addresses, checks, frontend, pool.",
    "",
  ].join("\n");
}

export function announce(
  number: number,
  { title, says }: Pick<Experiment, "title" | "says">,
  s: Style,
): string {
  return `${s.bold(`${number}. ${title}`)}\n   ${says}`;
}

export function conclusion(result: Result, s: Style): string {
  const { requests, failed, outageMs, broken, experiment } = result;
  return [
    `   ${requests} requests, ${failed} failed, out for ${formatDuration(outageMs)}` +
      ` (promised: ${experiment.promise.text})`,
    `   ${verdict(broken, s)}`,
    "",
  ].join("\n");
}

export function sceneConclusion(result: SceneResult, s: Style): string {
  const { requests, failed, slowestMs, broken, scene } = result;
  return [
    `   ${requests} requests, ${requests - failed} ok, ${failed} failed, the slowest took ` +
      `${formatDuration(slowestMs)} (promised: ${scene.promise.text})`,
    `   ${verdict(broken, s)}`,
    "",
  ].join("\n");
}

function verdict(broken: string | undefined, s: Style): string {
  return broken === undefined ? s.good("as promised") : s.bad(`NOT as promised: ${broken}`);
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

export function sceneSummary(results: readonly SceneResult[], s: Style): string {
  const rows = results.map((r) => [
    r.scene.title,
    String(r.requests),
    String(r.requests - r.failed),
    r.failed === 0 ? s.good("0") : String(r.failed),
    formatDuration(r.slowestMs),
    formatDuration(r.outageMs),
    r.broken === undefined ? s.good("kept") : s.bad("BROKEN"),
    r.why,
  ]);
  const head = ["scene", "requests", "ok", "failed", "slowest", "silence", "promise", "why"];
  return formatTable(head, rows).join("\n");
}
