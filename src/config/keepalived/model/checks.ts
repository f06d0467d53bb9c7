/** The check blocks of a real server: TCP_CHECK, HTTP_GET and the others. */

import type {
  CheckSettings,
  CheckTarget,
  CheckTiming,
  HttpCheckUrl,
  SslSettings,
} from "../../virtual-server.ts";
import { commandKey } from "../../script-uses.ts";
import type { Findings } from "../../diagnostic.ts";
import type { Block } from "../block.ts";
import type { Word } from "../source-line.ts";
import { type Context, familyOf, readAddress, remember } from "./context.ts";
import { commandWithUser, joinWords } from "./globals.ts";
import { optional } from "./route-lines.ts";

/** Where a value that a check does not give is looked up: real server, then virtual server. */
export interface CheckSources {
  readonly realServer: Block;
  readonly virtualServer: Block;
  readonly globals: Block;
  readonly ssl?: SslSettings;
  readonly address: string;
  readonly port: number;
}

const KINDS = [
  "TCP_CHECK",
  "HTTP_GET",
  "SSL_GET",
  "SMTP_CHECK",
  "DNS_CHECK",
  "UDP_CHECK",
  "PING_CHECK",
  "MISC_CHECK",
  "FILE_CHECK",
] as const;

/** Tries after a failure when nobody says (keepalived.conf(5): "Default: 1 unless specified"). */
const RETRY: Readonly<Record<string, number>> = { DNS_CHECK: 3, MISC_CHECK: 0 };

export function readChecks(sources: CheckSources, context: Context): CheckSettings[] {
  return KINDS.flatMap((kind) =>
    sources.realServer.blocks(kind).flatMap((block) => {
      if (kind === "MISC_CHECK") return readMisc(block, sources, context) ?? [];
      if (kind === "FILE_CHECK") return readFile(block, context) ?? [];
      return readNetworked(block, kind, sources, context);
    }),
  );
}

function inherited<T>(
  block: Block,
  sources: CheckSources,
  read: (from: Block) => T | undefined,
): T | undefined {
  return read(block) ?? read(sources.realServer) ?? read(sources.virtualServer);
}

function readTiming(block: Block, kind: string, sources: CheckSources): CheckTiming {
  const number = (name: string): number | undefined =>
    inherited(block, sources, (from) => from.number(name));
  const bool = (name: string): boolean | undefined =>
    inherited(block, sources, (from) => from.bool(name));
  const intervalMs = number("delay_loop") ?? 60_000;
  const pause = kind === "DNS_CHECK" ? intervalMs : kind.endsWith("_GET") ? 3000 : 1000;
  return {
    intervalMs,
    connectTimeoutMs: number("connect_timeout") ?? 5000,
    retry: block.number("nb_get_retry") ?? number("retry") ?? RETRY[kind] ?? 1,
    delayBeforeRetryMs: number("delay_before_retry") ?? pause,
    warmupMs: number("warmup") ?? intervalMs,
    startDown: bool("alpha") ?? false,
    logAllFailures: bool("log_all_failures") ?? sources.globals.flag("checker_log_all_failures"),
  };
}

function readTarget(block: Block, sources: CheckSources, context: Context): CheckTarget {
  const word = block.word("connect_ip");
  const { findings } = context;
  const address =
    (word === undefined ? undefined : readAddress(word, "connect_ip", findings)) ?? sources.address;
  if (/^fe[89ab]/u.test(address) && !block.has("bind_if")) {
    const reason = `${address} is on every link: the check does not know on which to ask`;
    findings.error(word ?? block.statement.keyword, reason, "add: bind_if INTERFACE");
  }
  return {
    address,
    port: block.number("connect_port") ?? sources.port,
    ...optional("sourceAddress", readSource(block, address, findings)),
    ...optional("sourcePort", block.number("bind_port")),
    ...optional("sourceInterface", block.text("bind_if")),
    ...optional("mark", block.number("fwmark")),
  };
}

function readSource(block: Block, target: string, findings: Findings): string | undefined {
  const word = block.word("bindto");
  const source = word === undefined ? undefined : readAddress(word, "bindto", findings);
  if (source === undefined || familyOf(source) === familyOf(target)) return source;
  const reason = `bindto ${source} is of another address family than ${target}: it is left out`;
  findings.warn(word!, reason, "write one of the same family");
  return undefined;
}

function readNetworked(
  block: Block,
  kind: (typeof KINDS)[number],
  sources: CheckSources,
  context: Context,
): CheckSettings[] {
  const timing = readTiming(block, kind, sources);
  const target = readTarget(block, sources, context);
  if (kind !== "PING_CHECK" && target.port === 0) {
    const reason = `${kind} does not know which port to check`;
    context.findings.error(block.statement.keyword, reason, "add: connect_port PORT");
  }
  switch (kind) {
    case "HTTP_GET":
    case "SSL_GET":
      return [readHttp(block, { kind, timing, target, sources }, context)];
    case "SMTP_CHECK":
      return readSmtp(block, { timing, sources }, context);
    case "DNS_CHECK":
      return [
        {
          kind: "dns",
          query: block.text("type")?.toUpperCase() ?? "SOA",
          name: block.text("name") ?? ".",
          timing,
          target,
        },
      ];
    case "UDP_CHECK":
      return [readUdp(block, { timing, target }, context)];
    default:
      return [{ kind: kind === "PING_CHECK" ? "ping" : "tcp", timing, target }];
  }
}

function readHttp(
  block: Block,
  facts: { kind: string; timing: CheckTiming; target: CheckTarget; sources: CheckSources },
  context: Context,
): CheckSettings {
  const host = inherited(block, facts.sources, (from) => from.text("virtualhost"));
  const urls = block.blocks("url").map((url) => readUrl(url, block, context));
  if (urls.length === 0) {
    const next = "add: url { path / }";
    context.findings.error(block.statement.keyword, `${facts.kind} has no url`, next);
  }
  return {
    kind: "http",
    tls: facts.kind === "SSL_GET",
    protocol: (block.text("http_protocol") ?? "1.0") as "1.0" | "1.0C" | "1.1",
    urls,
    sni: block.flag("enable_sni"),
    ...optional("sniName", block.text("sni_name")),
    ...optional("ssl", facts.kind === "SSL_GET" ? facts.sources.ssl : undefined),
    fastRecovery: block.flag("fast_recovery"),
    ...optional("virtualHost", host),
    timing: facts.timing,
    target: facts.target,
  };
}

function readUrl(url: Block, check: Block, context: Context): HttpCheckUrl {
  const codes = (url.words("status_code") ?? []).flatMap((word) => readCodes(word, context) ?? []);
  const digest = url.word("digest");
  if (digest !== undefined && !/^[\da-fA-F]{32}$/u.test(digest.text)) {
    const next = "32 hexadecimal digits, as md5sum prints them";
    context.findings.error(digest, `'${digest.text}' is not an MD5 digest`, next);
  }
  const path = url.words("path");
  return {
    path: path === undefined ? "/" : joinWords(path),
    ...optional("digest", digest?.text.toLowerCase()),
    statusCodes: codes.length === 0 ? [{ from: 200, to: 299 }] : codes,
    ...optional("virtualHost", url.text("virtualhost")),
    ...optional("regex", readRegex(url)),
    tlsCompliant: url.bool("tls_compliant") ?? check.flag("tls_compliant"),
  };
}

function readRegex(url: Block): HttpCheckUrl["regex"] {
  const words = url.words("regex");
  if (words === undefined) return undefined;
  return {
    pattern: joinWords(words),
    options: (url.words("regex_options") ?? []).map((word) => word.text),
    inverted: url.has("regex_no_match"),
    minOffset: url.number("regex_min_offset") ?? 0,
    ...optional("maxOffset", url.number("regex_max_offset")),
  };
}

function readCodes(word: Word, context: Context): { from: number; to: number } | undefined {
  const match = /^(\d{3})(?:-(\d{3}))?$/u.exec(word.text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match !== null && from >= 100 && to <= 599 && from <= to) return { from, to };
  const next = "write 200 or 200-299";
  context.findings.error(word, `'${word.text}' is not a status code`, next);
  return undefined;
}

/** One check for each `host`, or one for the server itself. */
function readSmtp(
  block: Block,
  facts: { timing: CheckTiming; sources: CheckSources },
  context: Context,
): CheckSettings[] {
  const hosts = block.blocks("host");
  const helo = optional("heloName", block.text("helo_name"));
  return (hosts.length === 0 ? [block] : hosts).map((host) => ({
    kind: "smtp",
    ...helo,
    timing: facts.timing,
    target: readTarget(host, facts.sources, context),
  }));
}

function readUdp(
  block: Block,
  facts: { timing: CheckTiming; target: CheckTarget },
  context: Context,
): CheckSettings {
  const payload = block.words("payload");
  const reply = block.words("require_reply") ?? [];
  const sent = payload === undefined ? undefined : readHex(payload, false, context)?.value;
  const [shortest, longest] = [
    block.number("min_reply_length") ?? 0,
    block.number("max_reply_length") ?? 255,
  ];
  if (shortest > longest) {
    const reason = `min_reply_length ${shortest} is above max_reply_length ${longest}: no answer could do`;
    context.findings.error(block.at("min_reply_length"), reason, "correct one of them");
  }
  return {
    kind: "udp",
    ...optional("payload", sent),
    requireReply: block.has("require_reply"),
    ...optional("reply", reply.length === 0 ? undefined : readHex(reply, true, context)),
    minReplyLength: shortest,
    maxReplyLength: longest,
    ...facts,
  };
}

/** `Ab12f 3 456` is AB 12 0F 03 45 06; `x` in a reply leaves four bits open. */
function readHex(
  words: readonly Word[],
  open: boolean,
  context: Context,
): { value: Uint8Array; mask: Uint8Array } | undefined {
  const parts = words.flatMap((word) =>
    word.text
      .trim()
      .split(/\s+/u)
      .map((text) => ({ ...word, text })),
  );
  const digits = parts.flatMap((word) => pairs(word.text));
  const bad = parts.find((word) => !(open ? /^[\da-fA-FxX]+$/u : /^[\da-fA-F]+$/u).test(word.text));
  if (bad !== undefined) {
    context.findings.error(bad, `'${bad.text}' is not hexadecimal`, "write bytes as 0-9 a-f");
    return undefined;
  }
  const value = digits.map((pair) => Number.parseInt(pair.replace(/x/giu, "0"), 16));
  const mask = digits.map((pair) =>
    Number.parseInt(pair.padStart(2, "0").replace(/[^x]/giu, "f").replace(/x/giu, "0"), 16),
  );
  return { value: Uint8Array.from(value), mask: Uint8Array.from(mask) };
}

/** A lone last digit is a byte of its own. */
function pairs(text: string): string[] {
  return text.match(/..?/gu) ?? [];
}

function readMisc(
  block: Block,
  sources: CheckSources,
  context: Context,
): CheckSettings | undefined {
  const command = commandWithUser(block, "misc_path");
  if (command === undefined) {
    const next = "add: misc_path /path/to/command";
    context.findings.error(block.statement.keyword, "MISC_CHECK has no misc_path", next);
    return undefined;
  }
  remember(context, commandKey(command), block.valueAt("misc_path"));
  const timing = readTiming(block, "MISC_CHECK", sources);
  return {
    kind: "misc",
    command,
    timeoutMs: block.number("misc_timeout") ?? timing.intervalMs,
    dynamic: block.has("misc_dynamic"),
    timing,
  };
}

function readFile(block: Block, context: Context): CheckSettings | undefined {
  const name = block.word("track_file");
  if (name === undefined) {
    const next = "add: track_file NAME";
    context.findings.error(block.statement.keyword, "FILE_CHECK has no track_file", next);
    return undefined;
  }
  if (!context.origins.has(`track_file ${name.text}`)) {
    const next = `define track_file ${name.text} { … }`;
    context.findings.error(name, `there is no track_file ${name.text}`, next);
  }
  const weight = block.weight("weight");
  return {
    kind: "file",
    trackFile: name.text,
    weight: weight?.weight ?? 1,
    reverse: weight?.reverse ?? false,
    dynamic: block.has("dynamic"),
  };
}
