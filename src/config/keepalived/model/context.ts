/** What every part of the model builder shares. */

import type { Findings } from "../../diagnostic.ts";
import type { Origin } from "../../model.ts";
import type { Place } from "../../diagnostic.ts";
import { canonicalIp, isIpv6 } from "../../../lib/ip-address.ts";
import type { Family, NotifyCommand } from "../../../core/vrrp/settings.ts";
import { commandKey } from "../../script-uses.ts";
import type { Block } from "../block.ts";
import type { Word } from "../source-line.ts";

export interface Context {
  readonly findings: Findings;
  /** Missing addresses are a warning, as in keepalived. */
  readonly permissive: boolean;
  readonly hostName: string;
  /** Since the machine was started. */
  readonly uptimeMs: number;
  readonly readFile: (path: string) => string | undefined;
  readonly glob: (pattern: string) => readonly string[];
  readonly origins: Map<string, Origin>;
  /** What the next rule without one gets: a rule of the kernel's choice would not be known again. */
  readonly rulePreferences: Record<Family, number>;
}

/** keepalived counts down from there, in each family. */
const FIRST_RULE_PREFERENCE = 16_384;

export function rulePreferences(): Context["rulePreferences"] {
  return { ipv4: FIRST_RULE_PREFERENCE, ipv6: FIRST_RULE_PREFERENCE };
}

export function remember(context: Context, key: string, at: Place): void {
  if (!context.origins.has(key)) {
    context.origins.set(key, { file: at.file, line: at.line, column: at.column, text: at.text });
  }
}

/** The command of a keyword, if it was written; where, is remembered for warnings about scripts. */
export function rememberedCommand(
  block: Block,
  name: string,
  context: Context,
): NotifyCommand | undefined {
  const command = block.command(name);
  if (command !== undefined) remember(context, commandKey(command), block.valueAt(name));
  return command;
}

/** For what was not written anywhere. */
export function nowhere(): Place {
  return { file: "", line: 1, column: 1, text: "" };
}

export function familyOf(address: string): Family {
  return isIpv6(address) ? "ipv6" : "ipv4";
}

/** Canonical text, or undefined after telling what is wrong. */
export function readAddress(word: Word, name: string, findings: Findings): string | undefined {
  const address = canonicalIp(word.text);
  if (address === undefined) {
    findings.error(
      word,
      `${name} must be an IP address, not '${word.text}'`,
      addressHint(word.text),
    );
  }
  return address;
}

export function addressHint(text: string): string {
  if (/\$\w/u.test(text)) return "inside of a word a parameter is written in braces: ${NAME}";
  if (/\$\{\w/u.test(text)) return "this parameter is not defined";
  if (/^\d{1,3}(\.\d{1,3}){3}$/u.test(text))
    return "each number goes from 0 to 255, without a leading 0";
  if (/^\d+(\.\d+)*\.?$/u.test(text)) return "an IPv4 address has four numbers";
  if (/^[A-Za-z][\w.-]*$/u.test(text)) return "a host name cannot stand here; write its address";
  return "write an address such as 192.0.2.1 or 2001:db8::1";
}

export interface Prefix {
  readonly address: string;
  readonly family: Family;
  readonly length: number;
}

/** `ADDRESS[/LENGTH or NETMASK]`; without length the whole address counts. */
export function readPrefix(word: Word, name: string, findings: Findings): Prefix | undefined {
  const [text = "", mask, more] = word.text.split("/");
  const address = canonicalIp(text);
  if (address === undefined || more !== undefined) {
    findings.error(word, `${name} must be an IP address, not '${word.text}'`, addressHint(text));
    return undefined;
  }
  const family = familyOf(address);
  const most = family === "ipv4" ? 32 : 128;
  const length = mask === undefined ? most : /^\d+$/u.test(mask) ? Number(mask) : maskLength(mask);
  if (length === undefined || length > most) {
    findings.error(word, `the prefix length in '${word.text}' is wrong`, `write /0 to /${most}`);
    return undefined;
  }
  return { address, family, length };
}

/** Length of `255.255.255.0`, or undefined when it is no netmask. */
export function maskLength(mask: string): number | undefined {
  if (canonicalIp(mask) === undefined || isIpv6(mask)) return undefined;
  const bits = mask
    .split(".")
    .map((part) => Number(part).toString(2).padStart(8, "0"))
    .join("");
  return /^1*0*$/u.test(bits) ? bits.lastIndexOf("1") + 1 : undefined;
}
