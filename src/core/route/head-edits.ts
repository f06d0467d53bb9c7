/** Header edits of a route, compiled: which fields stay out, which are written besides. */

import type { FieldBlock } from "../http/field-block.ts";
import { latin1Bytes } from "../../lib/text-bytes.ts";
import { nameHash } from "../http/field-names.ts";
import type { HeadWriter } from "../http/head-writer.ts";
import { coded, expression, isAscii, lettersOf, octetText } from "./letters.ts";
import { spelled } from "./normal-path.ts";
import type { RequestFacts } from "./request-facts.ts";
import type { HeaderEdits, PathRewrite } from "./route-settings.ts";
import { template } from "./template.ts";

interface Written {
  readonly name: string;
  readonly value: (facts: RequestFacts) => string;
}

interface Replaced {
  readonly name: string;
  readonly hash: number;
  readonly change: (value: string) => string;
}

/** Letters of a value that a pattern is looked for in: a bad one must not cost more. */
const MAX_VALUE = 4096;
/** Mark of a field that was written with another value; 1 is one that stays behind. */
const REPLACED = 2;

export class HeadEdits {
  /** Lower-case names of fields that are not passed on: removed or set anew. */
  readonly #dropped: readonly string[];
  readonly #droppedHashes: readonly number[];
  readonly #written: readonly Written[];
  readonly #replaced: readonly Replaced[];
  /** What is written, if it is the same for every request. */
  readonly #constant: Uint8Array | undefined;
  /** Whether the Host of the client is replaced. */
  readonly setsHost: boolean;
  readonly touchesForwarding: boolean;

  constructor({ remove, set, add, replace = [] }: HeaderEdits) {
    this.#replaced = replace.map(({ name, pattern, replacement }) => ({
      name: name.toLowerCase(),
      hash: nameHash(name.toLowerCase()),
      change: valueChange(pattern, replacement),
    }));
    const names = [...remove, ...set.map(({ name }) => name)].map((n) => n.toLowerCase());
    this.#dropped = [...new Set(names)];
    this.#droppedHashes = this.#dropped.map(nameHash);
    const drafts = [...set, ...add].map(({ name, value }) => ({ name, value: octetText(value) }));
    this.setsHost = drafts.some(({ name }) => name.toLowerCase() === "host");
    this.touchesForwarding = names.some((name) => name.startsWith("x-forwarded-"));
    this.#written = drafts.map(({ name, value }) => ({ name, value: template(value) }));
    const isConstant = drafts.every(({ value }) => !value.includes("${"));
    this.#constant = isConstant
      ? latin1Bytes(drafts.map(({ name, value }) => lineOf(name, value)).join(""))
      : undefined;
  }

  /** Removed or set anew: whoever writes a field of that name otherwise leaves it. Lower case. */
  drops(name: string): boolean {
    return this.#dropped.includes(name);
  }

  get writesFields(): boolean {
    return this.#written.length > 0;
  }

  /** Marks what does not go further, as hop-by-hop fields are. Before the fields are written. */
  strike(head: FieldBlock): void {
    for (let k = 0; k < this.#dropped.length; k++) {
      const name = this.#dropped[k]!;
      const hash = this.#droppedHashes[k]!;
      for (let i = head.next(hash, name, 0); i >= 0; i = head.next(hash, name, i + 1)) {
        head.hop[i] = 1;
      }
    }
  }

  /**
   * Writes the fields whose values are changed, which are marked so. Between `strike` and the writing of
   * the others; a head that is written again, for want of room, gets them again.
   */
  writeReplaced(writer: HeadWriter, head: FieldBlock): void {
    for (const { name, hash, change } of this.#replaced) {
      for (let i = head.next(hash, name, 0); i >= 0; i = head.next(hash, name, i + 1)) {
        if (head.hop[i] === 1) continue;
        const value = head.valueText(i);
        const changed = change(value);
        if (changed === value) continue;
        head.hop[i] = REPLACED;
        writer.field(head.nameText(i), lineSafe(changed));
      }
    }
  }

  /** What `write` would write: for a head that comes when the request is long gone. */
  lines(facts: RequestFacts): Uint8Array {
    return this.#constant ?? latin1Bytes(this.text(facts));
  }

  /** The same as text. */
  text(facts: RequestFacts): string {
    return this.#written.map(({ name, value }) => lineOf(name, value(facts))).join("");
  }

  write(writer: HeadWriter, facts: RequestFacts): void {
    writer.octets(this.lines(facts));
  }
}

function valueChange(source: string, replacement: string): (value: string) => string {
  const pattern = expression(source);
  const change = isAscii(source)
    ? (value: string) => value.replace(pattern, octetText(replacement))
    : (value: string) => {
        const text = lettersOf(value);
        return pattern.test(text) ? octetText(text.replace(pattern, replacement)) : value;
      };
  return (value) => (value.length > MAX_VALUE ? value : change(value));
}

function lineOf(name: string, value: string): string {
  return `${name}: ${lineSafe(value)}\r\n`;
}

/** What a variable brings in has been parsed; this is the second lock on the same door. */
export function lineSafe(value: string): string {
  return value.replace(/[\0\r\n]/g, " ");
}

/** The path (with query) to ask a server for; undefined: unchanged. */
export function rewriter(
  rewrite: PathRewrite | undefined,
): (facts: RequestFacts) => string | undefined {
  if (rewrite === undefined) return () => undefined;
  const changed = pathChange(rewrite);
  return (facts) => {
    const path = changed(facts.path) ?? changed(facts.rulePath);
    if (path === undefined) return undefined;
    const query = facts.head.queryText();
    // What the change brings in of a query comes first.
    const mark = path.includes("?") ? "&" : "?";
    return query === "" ? path : path + mark + query;
  };
}

function pathChange(rewrite: PathRewrite): (path: string) => string | undefined {
  if (rewrite.kind === "prefix") {
    const from = spelled(rewrite.from);
    const to = coded(rewrite.to);
    return (path) => (path.startsWith(from) ? rooted(to + path.slice(from.length)) : undefined);
  }
  const pattern = expression(rewrite.pattern);
  const { replacement } = rewrite;
  const read = isAscii(rewrite.pattern) ? (path: string) => path : lettersOf;
  return (path) => {
    const text = read(path);
    return pattern.test(text) ? rooted(coded(text.replace(pattern, replacement))) : undefined;
  };
}

function rooted(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}
