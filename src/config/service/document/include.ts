/** A file and everything that it includes become one tree. */

import { normalize } from "node:path";
import type { Findings, Place } from "../../diagnostic.ts";
import type { ConfigurationFiles } from "../../keepalived/lines.ts";
import { directoryOf } from "../../keepalived/parameters.ts";
import { parseYaml } from "./parse.ts";
import type { MapNode, TreeNode } from "./tree.ts";
import { type Environment, replaceVariables } from "./variables.ts";

const MOST_FILES = 1000;

export class DocumentReader {
  /** Raw lines of every file read, for diagnostics. */
  readonly sources: Map<string, readonly string[]> = new Map();
  /** The same files as they are on disk. */
  readonly texts: Map<string, string> = new Map();
  /** False: what is left says nothing about names that it lacks. */
  isWhole = true;
  readonly #files: ConfigurationFiles;
  readonly #environment: Environment;
  readonly #findings: Findings;
  readonly #open: string[] = [];
  #entered = 0;
  /** After a circle, which is told once, no file is entered again: their number explodes. */
  #isCircular = false;

  constructor(files: ConfigurationFiles, environment: Environment, findings: Findings) {
    this.#files = files;
    this.#environment = environment;
    this.#findings = findings;
  }

  /** Undefined: it cannot be read, or is no YAML; the latter was told. */
  read(path: string): MapNode | undefined {
    const whole = this.#files.readFile(path);
    if (whole === undefined) return undefined;
    this.texts.set(path, whole);
    const text = whole.replace(/^\uFEFF/u, "");
    this.sources.set(path, text.split(/\r?\n/u));
    const parsed = parseYaml(path, text, this.#findings);
    if (parsed === undefined) {
      this.isWhole = false;
      return { kind: "map", at: start(path), entries: new Map() };
    }
    const tree = replaceVariables(parsed, this.#environment, this.#findings) as MapNode;
    if (this.#open.length === 0 && tree.entries.size === 0) {
      const next = "start with: pools: or addresses:";
      this.isWhole = false;
      this.#findings.error(start(path), "the file is empty: everything would be stopped", next);
    }
    this.#open.push(path);
    const include = tree.entries.get("include");
    tree.entries.delete("include");
    for (const pattern of include === undefined ? [] : patternsOf(include)) {
      this.#include(pattern, tree, path);
    }
    this.#open.pop();
    return tree;
  }

  #include(pattern: TreeNode, into: MapNode, from: string): void {
    if (pattern.kind !== "scalar" || pattern.text === "") {
      this.isWhole = false;
      const next = "write: include: [conf.d/*.yaml]";
      this.#findings.error(pattern.at, "include takes file names", next);
      return;
    }
    const path = pattern.text.startsWith("/")
      ? pattern.text
      : `${directoryOf(from)}/${pattern.text}`;
    const isPattern = /[*?[{]/u.test(path);
    const found = isPattern ? this.#files.glob(path) : [path];
    for (const file of found) this.#enter(normalize(file), pattern.at, into);
  }

  #enter(file: string, at: Place, into: MapNode): void {
    if (this.#isCircular && this.sources.has(file)) return;
    if (this.#open.some((one) => normalize(one) === file)) {
      this.#isCircular = true;
      this.isWhole = false;
      const chain = [...this.#open, file].join(" -> ");
      this.#findings.error(at, `${file} includes itself`, `the chain is ${chain}`);
      return;
    }
    if (++this.#entered > MOST_FILES) {
      this.isWhole = false;
      this.#findings.error(at, `more than ${MOST_FILES} files are included`);
      return;
    }
    const tree = this.read(file);
    if (tree === undefined) {
      this.isWhole = false;
      const reason = `the included file ${file} cannot be read`;
      this.#findings.error(at, reason, "correct the path or its permissions, or drop the line");
      return;
    }
    for (const [name, section] of tree.entries) mergeSection(into, name, section, this.#findings);
  }
}

function start(file: string): Place {
  return { file, line: 1, column: 1, text: "" };
}

function patternsOf(include: TreeNode): readonly TreeNode[] {
  return include.kind === "list" ? include.items : [include];
}

/** Maps of named things grow; anything else may be written once. */
function mergeSection(into: MapNode, name: string, section: TreeNode, findings: Findings): void {
  const there = into.entries.get(name);
  if (there === undefined) {
    into.entries.set(name, section);
    return;
  }
  if (there.kind !== "map" || section.kind !== "map") {
    reportTwice(section, there, findings);
    return;
  }
  for (const [key, value] of section.entries) {
    const twin = there.entries.get(key);
    if (twin === undefined) there.entries.set(key, value);
    else reportTwice(value, twin, findings);
  }
}

function reportTwice(second: TreeNode, first: TreeNode, findings: Findings): void {
  const at = second.key ?? second.at;
  const { file, line } = first.key ?? first.at;
  const reason = `'${at.text}' was written already in ${file}:${line}`;
  findings.error(at, reason, "keep one of them, or rename one");
}
