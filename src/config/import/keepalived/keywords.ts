/** Statements of keepalived's language as keys of nines.yaml. */

import type { Place } from "../../diagnostic.ts";
import type { Statement } from "../../keepalived/tree.ts";
import { keywordsOf } from "../../schema/schema.ts";
import { durationText } from "../../service/schema/kinds.ts";
import type { KeywordKey } from "../../service/schema/keyword-schema.ts";
import type { Data, Draft } from "../draft.ts";

/** Where a statement stands, with all its words. */
export function statementAt({ keyword, args }: Statement): Place {
  const { file, line, column } = keyword;
  return { file, line, column, text: [keyword, ...args].map((word) => word.text).join(" ") };
}

/** With all that stands in its block. */
export function lose(statement: Statement, why: string, draft: Draft): void {
  const last = lastLine(statement);
  const isBlock = last > statement.keyword.line;
  draft.lost(statementAt(statement), isBlock ? `the whole block to line ${last}: ${why}` : why);
}

function lastLine({ keyword, block }: Statement): number {
  const inside = block?.at(-1);
  return inside === undefined ? keyword.line : lastLine(inside);
}

export function secondsText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : durationText(Math.round(Number(text) * 1e6) / 1e3);
}

export interface KeywordBlock {
  readonly keys: readonly KeywordKey[];
  /** Its name in the schema of keepalived.conf. */
  readonly block: string;
}

/** Of `bfd_instance` and `track_bfd`. */
export const NO_BFD: string = "a nines.yaml has no BFD sessions; run the keepalived.conf for them";

/** Rows that are carried out and have keys in nines.yaml; of the others, those that nobody else reads are lost. */
export function keywordData(
  statements: readonly Statement[],
  { keys, block }: KeywordBlock,
  draft: Draft,
): Data {
  const data: Data = {};
  const rows = keywordsOf(block);
  for (const statement of statements) {
    const name = statement.keyword.text;
    const known = keys.find(({ row }) => row.name === name);
    const row = rows.get(name);
    if (row === undefined) lose(statement, "Nines does not know it", draft);
    else if (row.status === "ignored") lose(statement, row.meaning, draft);
    else if (known !== undefined) merge(data, known, valueOf(known, statement));
    else if (name === "track_bfd") lose(statement, NO_BFD, draft);
    else if (name === "reload_check_config") {
      draft.unneeded(statementAt(statement), "Nines always checks before a reload");
    }
  }
  return data;
}

/** Lines of several blocks of a name belong together; of single values the last counts. */
function merge(data: Data, { key, row }: KeywordKey, value: unknown): void {
  const before = data[key];
  const isList = row.takes.kind === "lines" && Array.isArray(before) && Array.isArray(value);
  data[key] = isList ? [...(before as unknown[]), ...(value as unknown[])] : value;
}

const ON: readonly string[] = ["on", "true", "yes"];

function valueOf({ row }: KeywordKey, { args, block = [] }: Statement): unknown {
  const texts = args.map((word) => word.text);
  const [first = ""] = texts;
  switch (row.takes.kind) {
    case "flag":
      return true;
    case "bool":
      return first === "" || ON.includes(first.toLowerCase());
    case "int":
      return Number(first === "" ? row.default : first);
    case "weight":
      return Number(first);
    case "ints":
      return texts.map(Number);
    case "seconds":
      return secondsText(first);
    case "lines": {
      const lines = block.map((line) => statementAt(line).text);
      // Names may stand side by side there.
      return row.name === "group" ? lines.flatMap((line) => line.split(" ")) : lines;
    }
    case "script":
      return commandOf(texts, args[0]?.quoted === true);
    default:
      return row.takes.kind === "words" && texts.length === 0 ? true : texts.join(" ");
  }
}

/** `COMMAND [user [group]]`. */
function commandOf([command = "", user, group]: readonly string[], quoted: boolean): unknown {
  const text = quoted || !/\s/u.test(command) ? command : [command];
  if (user === undefined) return text;
  return { command: text, user: user.replace(/:$/u, ""), group: group?.replace(/^:/u, "") };
}
