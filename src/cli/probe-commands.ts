/** `nines probe`: named, described and wired. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import type { StatusRange } from "../core/check/check-settings.ts";
import { KINDS, parseDuration } from "../config/service/schema/kinds.ts";
import type { Wiring } from "./balance-commands.ts";
import type { ProbeCommand } from "./probe.ts";

interface ProbeFlags {
  readonly interval: number;
  readonly timeout: number;
  readonly slow: number;
  readonly name?: string;
  readonly service?: string;
  readonly expect: readonly StatusRange[];
  readonly method: string;
  readonly header: readonly { readonly name: string; readonly value: string }[];
  readonly bodyRegex?: string;
  readonly whoHeader: string;
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly duration?: number;
  readonly record?: string;
  readonly reportTo?: URL;
  readonly tokenFile?: string;
  readonly reportCa?: string;
  readonly json?: boolean;
  readonly write?: string;
  readonly writeCommand?: string;
  readonly readCommand?: string;
}

export function addProbeCommands(program: Command, { terminal, end }: Wiring): void {
  program
    .command("probe")
    .description("ask a service as its users do, from any machine, and keep what they got")
    .argument(
      "<urls...>",
      "http://, https://, tcp://, dns://, ping:// and every other kind of check",
    )
    .addOption(
      new Option("--interval <time>", "a probe so often, whatever became of the last")
        .argParser(parseTime)
        .default(1000, "1s"),
    )
    .addOption(
      new Option("--timeout <time>", "a later answer is none")
        .argParser(parseTime)
        .default(3000, "3s"),
    )
    .addOption(
      new Option("--slow <time>", "a good answer that took longer is slow")
        .argParser(parseTime)
        .default(1000, "1s"),
    )
    .option("--name <name>", "of this prober; default: the host name")
    .option("--service <name>", "whose users it stands for; default: the node tells by the name")
    .addOption(
      new Option("--expect <codes>", "of HTTP, e.g. 200-399 or 200,204")
        .argParser(parseCodes)
        .default([{ from: 200, to: 399 }], "200-399"),
    )
    .option("--method <method>", "of HTTP", parseToken, "GET")
    .addOption(
      new Option("-H, --header <field>", "'Name: value'")
        .argParser(parseHeader)
        .default([], "none"),
    )
    .option("--body-regex <expression>", "must be found in the body", parseRegex)
    .option("--who-header <name>", "field of the answer that names the server", "x-served-by")
    .option("--ca <file>", "authorities of the service; default: the system's")
    .option("--insecure", "any certificate of the service will do")
    .option("--write <url>", "PUT and GET below it: is what was acknowledged still there later?")
    .option("--write-command <line>", "instead of PUT: a shell line, key $1, value $2")
    .option("--read-command <line>", "instead of GET: prints what is at key $1")
    .option("--duration <time>", "then the summary and the end; default: until Ctrl-C", parseTime)
    .option("--record <file>", "where it keeps its record; - for nowhere")
    .option("--report-to <url>", "a node's console, e.g. https://node:7600", parseUrl)
    .option("--token-file <file>", "token for the node")
    .option("--report-ca <file>", "authorities of the node; default: the system's")
    .option("--json", "JSON lines: buckets, outages, summary")
    .action(async (urls: string[], given: ProbeFlags) => {
      const { probe } = await import("./probe.ts");
      const live = terminal.columns !== undefined && given.json !== true ? rewriteLine : undefined;
      const { writeDoor } = await import("./drill.ts");
      const { write: writeProbe, ...rest } = given;
      const writes = writeDoor(writeProbe === undefined ? rest : { ...rest, writeProbe });
      const command = { ...commandOf(urls, given), ...(writes === undefined ? {} : { writes }) };
      end(await probe(live === undefined ? command : { ...command, live }, terminal));
    });
}

function commandOf(urls: readonly string[], given: ProbeFlags): ProbeCommand {
  const { reportTo: url, tokenFile, reportCa, record, service, duration, bodyRegex, ca } = given;
  const { name = hostname() } = given;
  const reportTo = url && {
    url,
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(reportCa === undefined ? {} : { ca: reportCa }),
  };
  return {
    urls,
    name,
    intervalMs: given.interval,
    timeoutMs: given.timeout,
    slowMs: given.slow,
    method: given.method,
    headers: given.header,
    status: given.expect,
    byHeader: given.whoHeader,
    verify: given.insecure !== true,
    json: given.json ?? false,
    record: record === "-" ? ":memory:" : (record ?? defaultRecord(name)),
    ...(service === undefined ? {} : { service }),
    ...(duration === undefined ? {} : { durationMs: duration }),
    ...(bodyRegex === undefined ? {} : { bodyRegex }),
    ...(ca === undefined ? {} : { ca }),
    ...(reportTo === undefined ? {} : { reportTo }),
  };
}

function rewriteLine(text: string): void {
  process.stdout.write(`\r\u001B[2K${text.slice(0, Math.max(20, process.stdout.columns * 2))}`);
}

/** As other programs of a user do: XDG Base Directory Specification. */
function defaultRecord(name: string): string {
  const state = process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state");
  return join(state, "nines", `probe-${name.replaceAll(/[^\w.-]/gu, "_")}.db`);
}

function parseTime(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= 1) return ms;
  throw new InvalidArgumentError("a duration such as 250ms, 1s or 5m");
}

function parseCodes(text: string): StatusRange[] {
  return text.split(",").map((code) => {
    const converted = KINDS.status.convert(code.trim());
    if (converted.ok) return converted.value;
    throw new InvalidArgumentError(`${converted.reason}: ${converted.next}`);
  });
}

function parseToken(text: string): string {
  const converted = KINDS.token.convert(text);
  if (converted.ok) return text;
  throw new InvalidArgumentError("letters only, e.g. HEAD");
}

function parseHeader(
  text: string,
  before: readonly { name: string; value: string }[],
): { name: string; value: string }[] {
  const [, name = "", value = ""] = /^([^:]+):\s*(.*)$/u.exec(text) ?? [];
  if (KINDS.token.convert(name).ok && KINDS.field.convert(value).ok) {
    return [...before, { name, value }];
  }
  throw new InvalidArgumentError("write 'Name: value'");
}

function parseRegex(text: string): string {
  const converted = KINDS.regex.convert(text);
  if (converted.ok) return converted.value;
  throw new InvalidArgumentError(converted.reason);
}

function parseUrl(text: string): URL {
  if (URL.canParse(text) && /^https?:/u.test(text)) return new URL(text);
  throw new InvalidArgumentError("write https://NODE:7600");
}
