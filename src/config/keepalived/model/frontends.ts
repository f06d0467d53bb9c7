/** What clients connect to: `IP PORT`, `fwmark N`, `group NAME` and the lines of a group. */

import { formatIp, parseIp } from "../../../lib/ip-address.ts";
import { closest } from "../../../lib/spelling.ts";
import type { Frontend } from "../../virtual-server.ts";
import type { Block } from "../block.ts";
import type { Word } from "../source-line.ts";
import type { Statement } from "../tree.ts";
import { readInteger } from "../value.ts";
import { addressHint, type Context, readAddress } from "./context.ts";
import { optional } from "./route-lines.ts";

const PORT = { min: 1, max: 65535 };
const MARK = { min: 1, max: 0xffff_ffff };
/** A range larger than this is a mistake, not a service. */
const MOST_ADDRESSES = 65536;

/** The groups of the file by name. */
export function readFrontendGroups(top: Block, context: Context): Map<string, readonly Frontend[]> {
  const groups = new Map<string, readonly Frontend[]>();
  for (const statement of top.statements("virtual_server_group")) {
    const name = statement.args[0]!;
    if (groups.has(name.text)) {
      const reason = `virtual_server_group ${name.text} was defined already`;
      context.findings.error(name, reason, "rename one of them");
      continue;
    }
    const lines = statement.block ?? [];
    if (lines.length === 0) {
      context.findings.error(
        name,
        `virtual_server_group ${name.text} is empty`,
        "add: ADDRESS PORT",
      );
    }
    groups.set(
      name.text,
      lines.flatMap((line) => readLine([line.keyword, ...line.args], context) ?? []),
    );
  }
  return groups;
}

/** The arguments of `virtual_server`. */
export function readFrontends(
  statement: Statement,
  groups: ReadonlyMap<string, readonly Frontend[]>,
  context: Context,
): readonly Frontend[] {
  const [first, second] = statement.args;
  if (first!.text === "group" && second !== undefined) {
    const group = groups.get(second.text);
    if (group !== undefined) return group;
    const near = closest(second.text, groups.keys());
    const next =
      near === undefined
        ? `define virtual_server_group ${second.text} { … }`
        : `did you mean '${near}'?`;
    context.findings.error(second, `there is no virtual_server_group ${second.text}`, next);
    return [];
  }
  const frontend = readLine(statement.args, context);
  return frontend === undefined ? [] : [frontend];
}

function readLine(words: readonly Word[], context: Context): Frontend | undefined {
  const { findings } = context;
  const [first, second, third] = words;
  if (first!.text === "fwmark") {
    if (second === undefined) {
      findings.error(first!, "fwmark needs a number", "write: fwmark 1");
      return undefined;
    }
    const mark = readInteger(second, MARK, "fwmark", findings);
    const family: "ipv4" | "ipv6" | undefined =
      third?.text === "inet6" ? "ipv6" : third === undefined ? undefined : "ipv4";
    return mark === undefined ? undefined : { kind: "mark", mark, ...optional("family", family) };
  }
  const isEvery = second === undefined || second.text === "0";
  const port = isEvery ? 0 : readInteger(second, PORT, "the port", findings);
  if (port === undefined) return undefined;
  if (/[-/]/u.test(first!.text)) return readRange(first!, port, context);
  const address = readAddress(first!, "a virtual server", findings);
  return address === undefined ? undefined : { kind: "address", address, port };
}

/** `192.0.2.1-10`, `192.0.2.250-192.0.3.10`, `192.0.2.8/29` and the same for IPv6. */
function readRange(word: Word, port: number, context: Context): Frontend | undefined {
  const range = word.text.includes("/") ? subnetOf(word.text) : spanOf(word.text);
  if (range === undefined) {
    const next = addressHint(word.text.split(/[-/]/u)[0]!);
    context.findings.error(word, `'${word.text}' is not a range of addresses`, next);
    return undefined;
  }
  if (range.count >= 1 && range.count <= MOST_ADDRESSES) {
    return { kind: "range", first: range.first, count: range.count, port };
  }
  const reason = `the range ${word.text} has ${range.count} addresses`;
  context.findings.error(word, reason, `1 to ${MOST_ADDRESSES} are possible`);
  return undefined;
}

interface Range {
  readonly first: string;
  readonly count: number;
}

function subnetOf(text: string): Range | undefined {
  const [address = "", length = ""] = text.split("/");
  const bytes = parseIp(address);
  if (bytes === undefined || !/^\d+$/u.test(length)) return undefined;
  const host = bytes.length * 8 - Number(length);
  if (host < 0) return undefined;
  const mask = (1n << BigInt(host)) - 1n;
  return { first: toText(toNumber(bytes) & ~mask, bytes.length), count: 2 ** host };
}

function spanOf(text: string): Range | undefined {
  const [from = "", to = ""] = text.split("-");
  const start = parseIp(from);
  if (start === undefined) return undefined;
  const last = to.includes(".") || to.includes(":") ? to : from.replace(/[^.:]*$/u, to);
  const end = parseIp(last);
  if (end === undefined || end.length !== start.length) return undefined;
  return { first: formatIp(start), count: Number(toNumber(end) - toNumber(start)) + 1 };
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function toText(number: bigint, length: number): string {
  const bytes = new Uint8Array(length);
  let rest = number;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  return formatIp(bytes);
}
