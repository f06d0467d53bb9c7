/** YAML text becomes a tree. The only file that knows the `yaml` library. */

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { assert } from "../../../lib/assert.ts";
import type { Findings, Place } from "../../diagnostic.ts";
import type { MapNode, ScalarNode, TreeNode } from "./tree.ts";

/** Values in one file after aliases were followed; bounds what a file can blow up to. */
const MOST_VALUES = 200_000;
const DEEPEST = 40;

/** What stands in the place of bytes that are no UTF-8. */
export const UNREADABLE = "\uFFFD";
const NO_UTF8 = "this is not UTF-8: what is read is not what stands there";
const SAVE_IT = "save the file as UTF-8";

/** Undefined: it cannot be read as a map. What is wrong with it was told. */
export function parseYaml(file: string, text: string, findings: Findings): MapNode | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
  });
  const place = (offset: number, length: number): Place => {
    const { line, col } = lines.linePos(offset);
    const shown = text.slice(offset, offset + length).split("\n", 1)[0]!;
    return { file, line: Math.max(1, line), column: Math.max(1, col), text: shown.trimEnd() };
  };
  for (const error of document.errors) reportSyntax(error, place, findings);
  // Two of a name: the first counts, so that all else that is wrong is told as well.
  if (document.errors.some(({ code }) => code !== "DUPLICATE_KEY")) return undefined;
  const top = document.contents;
  const start = { file, line: 1, column: 1, text: "" };
  if (top === null || (isScalar(top) && top.value === null)) {
    return { kind: "map", at: start, entries: new Map() };
  }
  const tree = new TreeBuilder(document, place, findings).build(top, undefined, 0);
  if (tree === undefined || tree.kind === "map") return tree;
  findings.error(tree.at, "the file is not a map of sections", "start with: pools: or addresses:");
  return undefined;
}

type Placer = (offset: number, length: number) => Place;

/** The library's sentence, and what to do about the mistakes that people really make. */
const NEXT: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: "indent with spaces",
  DUPLICATE_KEY: "it stands above already; keep one of them",
  BAD_INDENT: "keys of one map start in the same column",
  MISSING_CHAR: "is a quote, a bracket or a space after ':' missing?",
  MULTIPLE_DOCS: "one file is one document: remove the ---",
};

/** Where the library speaks to programmers. */
const REASON: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: "a second document begins here",
  RESOURCE_EXHAUSTION: "it nests too deep",
};

function reportSyntax(error: YAMLError, place: Placer, findings: Findings): void {
  const [from, to] = error.pos;
  const reason = (REASON[error.code] ?? error.message)
    .replace(/\.$/u, "")
    .replace(/^[A-Z](?=[a-z])/u, (c) => c.toLowerCase());
  findings.error(place(from, Math.max(1, to - from)), reason, NEXT[error.code] ?? "");
}

class TreeBuilder {
  readonly #document: Document.Parsed;
  readonly #place: Placer;
  readonly #findings: Findings;
  #values = 0;

  constructor(document: Document.Parsed, place: Placer, findings: Findings) {
    this.#document = document;
    this.#place = place;
    this.#findings = findings;
  }

  /** Undefined: too much of it, or an alias to nothing; that was told. */
  build(node: Node, key: Place | undefined, depth: number): TreeNode | undefined {
    const at = this.#placeOf(node);
    const located = key === undefined ? { at } : { at, key };
    if (++this.#values > MOST_VALUES || depth > DEEPEST) {
      if (this.#values === MOST_VALUES + 1 || depth > DEEPEST) {
        this.#findings.error(at, "the file unfolds to too much", "do aliases nest without end?");
      }
      return undefined;
    }
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      return target === undefined ? undefined : this.build(target, key, depth + 1);
    }
    if (isSeq(node)) {
      const items = node.items.flatMap((item) => {
        return this.build(item as Node, undefined, depth + 1) ?? [];
      });
      return { kind: "list", ...located, items };
    }
    if (isMap(node)) {
      return { kind: "map", ...located, entries: this.#entriesOf(node, depth) };
    }
    assert(isScalar(node), "YAML has scalars, lists, maps and aliases");
    const scalar = scalarOf(node);
    if (scalar.text.includes(UNREADABLE)) this.#findings.warn(at, NO_UTF8, SAVE_IT);
    return { kind: "scalar", ...located, ...scalar };
  }

  /** Own keys first; `<<` adds what is not there yet (YAML's merge key). */
  #entriesOf(map: YAMLMap, depth: number): Map<string, TreeNode> {
    const entries = new Map<string, TreeNode>();
    const merged: TreeNode[] = [];
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const key = this.#placeOf(pair.key);
      const name = isScalar(pair.key) ? scalarOf(pair.key).text : undefined;
      const value = this.#valueOf(pair, key, depth);
      if (name === undefined) {
        this.#findings.error(key, "a key must be a word", "quote it if it holds : { } [ ] or ,");
      } else if (value !== undefined && name === "<<") merged.push(value);
      else if (value !== undefined && !entries.has(name)) entries.set(name, value);
    }
    for (const source of merged.flatMap((m) => (m.kind === "list" ? m.items : [m]))) {
      if (source.kind !== "map") {
        this.#findings.error(source.at, "only a map can be merged with <<", "write: <<: *NAME");
        continue;
      }
      for (const [name, value] of source.entries) {
        if (!entries.has(name)) entries.set(name, value);
      }
    }
    return entries;
  }

  #valueOf(pair: Pair<Node, Node | null>, key: Place, depth: number): TreeNode | undefined {
    if (pair.value !== null) return this.build(pair.value, key, depth + 1);
    return { kind: "scalar", at: key, key, value: null, text: "", plain: true };
  }

  #placeOf(node: Node): Place {
    const [from, to] = node.range ?? [0, 0];
    return this.#place(from, to - from);
  }
}

function scalarOf(node: Scalar): Pick<ScalarNode, "value" | "text" | "plain"> {
  const { value, type } = node;
  const known =
    typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  const text = typeof value === "string" ? value : (node.source ?? "");
  return { value: known ? value : null, text, plain: type === "PLAIN" };
}
