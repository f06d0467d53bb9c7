/** What every part that builds settings shares. */

import type { NotifyCommand } from "../../../core/vrrp/settings.ts";
import { closest } from "../../../lib/spelling.ts";
import type { Findings, Place } from "../../diagnostic.ts";
import type { Origin } from "../../model.ts";
import { commandKey } from "../../script-uses.ts";
import type { Places } from "../places.ts";
import type { CommandDocument } from "../schema/keyword-schema.ts";

export interface BuildContext {
  readonly findings: Findings;
  readonly places: Places;
  /** Where named things were written, for later warnings. */
  readonly origins: Map<string, Origin>;
}

export function remember(context: BuildContext, key: string, at: Place): void {
  const { file, line, column, text } = at;
  if (!context.origins.has(key)) context.origins.set(key, { file, line, column, text });
}

/** A command; where it was written is remembered for warnings about scripts. */
export function commandOf(document: CommandDocument, context: BuildContext): NotifyCommand {
  const { command: argv, user, group } = document;
  const command = { argv, ...optional("user", user), ...optional("group", group) };
  remember(context, commandKey(command), context.places.of(document));
  return command;
}

/** True: the name is there. Else it is an error with the name that was perhaps meant. */
export function requireName(
  at: Place,
  what: string,
  known: readonly string[],
  { wanted, context }: { readonly wanted: string; readonly context: BuildContext },
): boolean {
  if (known.includes(wanted)) return true;
  const near = closest(wanted, known);
  const section = what === "address" ? "addresses" : `${what}s`;
  const next =
    near !== undefined
      ? `did you mean '${near}'?`
      : known.length === 0
        ? `add it: ${section}: { ${wanted}: … }`
        : `${section} are: ${known.slice(0, 10).join(" ")}`;
  context.findings.error(at, `there is no ${what} '${wanted}'`, next);
  return false;
}

/** The keys that a document has of a set of which exactly one must be there. */
export function given<T extends object, K extends keyof T & string>(
  document: T,
  keys: readonly K[],
): K[] {
  return keys.filter((key) => document[key] !== undefined);
}

/** `{ [key]: value }`, or nothing when the value is absent. */
export function optional<K extends string, V>(
  key: K,
  value: V | undefined,
): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}
