/** The demo as text: an introduction, each experiment, and the table at the end. */

import type { DrillResult } from "../../core/drill/result.ts";
import type { SiteEvent } from "../../drivers/drill-site.ts";
import { formatDuration } from "../../lib/duration.ts";
import { formatTable } from "../../lib/table.ts";
import type { Farm } from "./farm.ts";
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
  const rest = "the journal that it counts, like everything else here, goes when the demo ends";
  return `${s.bold("The same as a page")}: file://${path} (it stays; ${rest})`;
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
    `  client    ${CLIENT_ADDRESS}    asks ${VIRTUAL_ADDRESS} two hundred times a second`,
    "  lb1, lb2  192.168.17.101 and .102 share the address (VRRP) and balance",
    `  web1-3    192.168.17.11 to .13    run ${nameOf(farm.webServer)}`,
    "",
    "  Both directors run Nines with samples/demo/nines.yaml: addresses, checks, frontend, pool.",
    "",
  ].join("\n");
}

export function announce(number: number, title: string, says: string, s: Style): string {
  return `${s.bold(`${number}. ${title}`)}\n   ${says}`;
}

/** What an event says of its subject; undefined: a detail that is left out of the story. */
export function eventLine(event: SiteEvent): string | undefined {
  const { kind, node, reason, wallMs } = event;
  if (!STORY_KINDS.has(kind)) return undefined;
  const time = new Date(wallMs).toISOString().slice(11, 23);
  return `${time}  ${node}  ${whatHappened(event)}${reason}`;
}

function whatHappened({ kind, subject, from, to, reason }: SiteEvent): string {
  if (to !== undefined) return `${from} -> ${to}: `;
  if (kind.startsWith(OF_SERVER)) return `${subject} ${plainWords(kind.slice(OF_SERVER.length))}: `;
  const words = plainWords(kind);
  // "split brain: ..." needs no "split brain found" in front of it.
  return reason.startsWith("split brain") ? "" : `${words}: `;
}

const plainWords = (kind: string): string => kind.replaceAll("-", " ");

const OF_SERVER = "server-";

const STORY_KINDS: ReadonlySet<string> = new Set([
  "state-changed",
  "split-brain-found",
  "split-brain-healed",
  "lease-lapsed",
  "starved",
  "server-down",
  "server-up",
  "server-ejected",
  "server-returned",
  "server-drain-started",
  "server-drained",
  "server-ready",
]);

export interface Told {
  readonly number: number;
  readonly title: string;
  readonly result: DrillResult;
  /** Who answered in place of what was broken. */
  readonly tookOver: readonly string[];
  readonly why: string;
}

/** What was heard and seen while the fault was there. */
export interface Seen {
  readonly result: DrillResult;
  readonly events: readonly SiteEvent[];
  /** Servers that answered; none where the fault is no server's. */
  readonly answerers: readonly string[];
}

/** A change of state tells more than the split that may come a moment before it. */
export function told(number: number, title: string, { result, events, answerers }: Seen): Told {
  const changes = events.filter(({ to }) => to !== undefined);
  const masters = changes.filter(({ to, node }) => to === "MASTER" && node !== result.target);
  const tookOver = [...new Set([...masters.map(({ node }) => node), ...answerers])];
  const why = changes[0]?.reason ?? result.detection?.reason ?? "nothing was to be told";
  return { number, title, result, tookOver, why };
}

export function conclusion({ result }: Pick<Told, "result">, s: Style): string {
  const { measured, promise, promisedOutageMs, verdict, deviations, reason } = result;
  const kept = s.good("as promised");
  const broken = s.bad(`NOT as promised: ${[reason, ...deviations.slice(1)].join("; ")}`);
  return [
    `   ${clientLine(measured)}`,
    `   promised: ${promise}; at most ${formatDuration(promisedOutageMs)} without an answer`,
    `   ${verdict === "passed" ? kept : broken}`,
    "",
  ].join("\n");
}

function clientLine(measured: DrillResult["measured"]): string {
  if (measured === undefined) return "nobody asked";
  const { requests, failed, outageMs, returnOutageMs, slowestMs } = measured;
  const back = `on the way back ${formatDuration(returnOutageMs)}`;
  const slowest = failed === 0 ? `, the slowest answer took ${formatDuration(slowestMs)}` : "";
  return `${requests} requests, ${failed} failed, out for ${formatDuration(outageMs)}, ${back}${slowest}`;
}

/** The table, and whether all of it was as promised. */
export function summary(all: readonly Told[], s: Style): string {
  const rows = all.map(({ number, title, result: { measured, verdict }, tookOver, why }) => [
    `${number}. ${title}`,
    measured === undefined ? "-" : String(measured.requests),
    measured === undefined ? "-" : String(measured.failed),
    measured === undefined ? "-" : formatDuration(measured.outageMs),
    measured === undefined ? "-" : formatDuration(measured.returnOutageMs),
    tookOver.join(", ") || "nobody",
    verdict === "passed" ? s.good("kept") : s.bad("BROKEN"),
    why,
  ]);
  const broken = all.filter(({ result }) => result.verdict !== "passed");
  const count = `${all.length - broken.length} of ${all.length} experiments ended as promised.`;
  return [
    ...formatTable(HEAD, rows),
    "",
    broken.length === 0 ? s.good(count) : s.bad(count),
    ...broken.map(
      ({ number, title, result }) => `  NOT as promised: ${number}. ${title}: ${result.reason}`,
    ),
    "",
  ].join("\n");
}

const HEAD = "experiment,requests,failed,outage,way back,took over,promise,why".split(",");
