/**
 * The keywords of keepalived.conf that nines.yaml has under the same name: their types, ranges and
 * meanings come from the one table in `src/config/schema`.
 */

import type { TOptional, TProperties, TSchema, TUnsafe } from "typebox";
import { type Keyword, keywordsOf } from "../../schema/schema.ts";
import { durationText } from "./kinds.ts";
import {
  block,
  choice,
  duration,
  flag,
  type Hints,
  integer,
  kind,
  list,
  oneOrMore,
  optional,
  short,
  text,
} from "./words.ts";

/** What a command becomes, whichever way it was written. */
export interface CommandDocument {
  readonly command: readonly string[];
  readonly user?: string;
  readonly group?: string;
}

/** Values of keywords, by name: what the translation back into statements understands. */
export type KeywordValues = Record<
  string,
  boolean | number | string | readonly string[] | readonly number[] | CommandDocument | undefined
>;

const RENAMED: Readonly<Record<string, string>> = {
  advert_int: "advert_every",
  group: "members",
  interval: "every",
  router_id: "name",
  unicast_peer: "peers",
  unicast_src_ip: "source",
  virtual_ipaddress: "ip",
  virtual_ipaddress_excluded: "excluded",
  virtual_router_id: "router_id",
  virtual_routes: "routes",
  virtual_rules: "rules",
};

/** Some words are said in a better way in nines.yaml, or mean nothing there. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "accept",
  "auth_hmac",
  "authentication",
  "daemon_name",
  "mcast_src_ip",
  "native_ipv6",
  "no_accept",
  "nopreempt",
  "preempt",
  "reload_check_config",
  "track_bfd",
  "track_file",
  "track_interface",
  "track_process",
  "track_script",
  "unicast_fault_no_peer",
]);

/** A key of nines.yaml and the row that it stands for. */
export interface KeywordKey {
  readonly key: string;
  readonly row: Keyword;
}

/** Rows of a block that nines.yaml takes, with the same meaning there. */
export function keywordKeys(blockName: string): KeywordKey[] {
  return [...keywordsOf(blockName).values()]
    .filter((row) => row.status === "done")
    .filter((row) => row.takes.kind !== "block")
    .filter((row) => !LEFT_OUT.has(row.name))
    .map((row) => ({ key: RENAMED[row.name] ?? row.name, row }));
}

/** Schemas of those rows, all of them optional. */
export function keywordSchemas(
  keys: readonly KeywordKey[],
): Record<string, TOptional<TUnsafe<never>>> {
  return Object.fromEntries(
    keys.map(({ key, row }) => [key, optional(schemaOf(row)) as TOptional<TUnsafe<never>>]),
  );
}

function schemaOf(row: Keyword): TSchema {
  const { takes, meaning } = row;
  const hints: Hints<never> = {
    ...(row.default === "" ? {} : { otherwise: defaultText(row) }),
    source: row.source,
  };
  switch (takes.kind) {
    case "flag":
    case "bool":
      return flag(meaning, hints);
    case "int":
      return integer(meaning, takes.min, takes.max, hints);
    case "weight":
      return integer(meaning, takes.min, takes.max, hints);
    case "ints":
      return list(meaning, integer("A number.", takes.min, takes.max), { single: true });
    case "seconds": {
      const [min, max] = [durationText(takes.min * 1000), durationText(takes.max * 1000)];
      return duration(meaning, { ...hints, min, max });
    }
    case "one-of":
      return choice(meaning, takes.options, hints);
    case "address":
      return kind("ip", meaning, hints);
    case "script":
      return command(meaning);
    case "lines":
      return oneOrMore(meaning, text("As a line of keepalived.conf."));
    default:
      return text(meaning, hints);
  }
}

function defaultText(row: Keyword): string {
  const isTime = row.takes.kind === "seconds" && /^[\d.]+$/u.test(row.default);
  return isTime ? durationText(Number(row.default) * 1000) : row.default;
}

/** A command: one text split at spaces, its words in a list, or with a user. Never a shell. */
export function command(description: string): TUnsafe<CommandDocument> {
  const schema: TSchema = short(
    block(description, {
      command: argv("The command and its arguments."),
      user: optional(text("Who it runs as.", { otherwise: "script_user of global" })),
      group: optional(text("With which group.")),
    }),
    [
      text("The command, split at spaces; 'single quotes' keep one."),
      list("Its words.", text("A word.")),
    ],
    (value) => {
      if (Array.isArray(value)) return { command: value };
      return typeof value === "string" ? { command: commandWords(value) } : value;
    },
  );
  return schema as TUnsafe<CommandDocument>;
}

/** A command without user: one text split at spaces, or its words in a list. */
export function argv(description: string): TUnsafe<string[]> {
  return short(
    list(description, text("A word of the command.")),
    [text("The command, split at spaces; 'single quotes' keep one.")],
    (value) => (typeof value === "string" ? commandWords(value) : value),
  );
}

function commandWords(line: string): string[] {
  const parts = line.match(/(?:'[^']*'|[^\s'])+/gu) ?? [];
  return parts.map((part) => part.replaceAll("'", ""));
}

/** Makes `TProperties` of generated schemas and written ones together. */
export function withKeywords<P extends TProperties>(
  keys: readonly KeywordKey[],
  own: P,
): P & Record<never, never> {
  return { ...keywordSchemas(keys), ...own };
}
