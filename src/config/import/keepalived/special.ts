/** Parts of keepalived.conf that are said in another way in nines.yaml. */

import type { Statement } from "../../keepalived/tree.ts";
import type { Data, Draft } from "../draft.ts";
import { secondsText, statementAt } from "./keywords.ts";

function wordOf(block: readonly Statement[] | undefined, name: string): string | undefined {
  return block?.findLast((line) => line.keyword.text === name)?.args[0]?.text;
}

/** Version 3 has no passwords: keepalived ignores them there, and so nothing is lost. */
export function authOf(
  statement: Statement | undefined,
  instance: readonly Statement[],
  draft: Draft,
): Data | undefined {
  if (statement === undefined) return undefined;
  const type = wordOf(statement.block, "auth_type");
  const password = wordOf(statement.block, "auth_pass");
  if (type === undefined || password === undefined) {
    draft.unneeded(statementAt(statement), "without type or password it does nothing");
    return undefined;
  }
  if (wordOf(instance, "version") === "3") {
    draft.unneeded(statementAt(statement), "VRRP version 3 has no passwords; see auth: hmac");
    return undefined;
  }
  return type === "AH" ? { ah: password } : { pass: password };
}

export function authHmacOf({ block }: Statement): Data {
  const keys = (block ?? []).filter((line) => line.keyword.text === "key");
  const number = wordOf(block, "active_key");
  return {
    hmac: {
      keys: Object.fromEntries(
        keys.map(({ args }) => [args[0]?.text ?? "", secret(args[1]?.text)]),
      ),
      active: number === undefined ? undefined : Number(number),
      mode: wordOf(block, "mode"),
      anti_replay: wordOf(block, "anti_replay"),
      time_window: secondsText(wordOf(block, "time_window")),
    },
  };
}

function secret(text = ""): unknown {
  const file = /^file:(.+)$/u.exec(text)?.[1];
  return file === undefined ? text.replace(/^0x/iu, "hex:") : { file };
}

const KINDS: readonly string[] = ["track_interface", "track_script", "track_process", "track_file"];

/** `track: [nginx weight=-20, interface:eth1]`. */
export function trackReferences(block: readonly Statement[]): { track?: string[] } {
  const references = block
    .filter((statement) => KINDS.includes(statement.keyword.text))
    .flatMap((statement) =>
      (statement.block ?? []).map((line) => referenceText(statement.keyword.text, line)),
    );
  return references.length === 0 ? {} : { track: references };
}

function referenceText(kind: string, { keyword, args }: Statement): string {
  const words = args.map((word) => word.text);
  const name = kind === "track_interface" ? `interface:${keyword.text}` : keyword.text;
  const weight = words[words.indexOf("weight") + 1];
  return [
    name,
    ...(words.includes("weight") && weight !== undefined ? [`weight=${Number(weight)}`] : []),
    ...(words.includes("reverse") ? ["reverse"] : []),
  ].join(" ");
}
