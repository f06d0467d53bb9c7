/**
 * A tree becomes plain data in which every short form has become the long one, guided by the
 * schema. What does not fit stays as it is: the check that follows tells it.
 */

import { UNREADABLE } from "./document/parse.ts";
import { placeOf, type MapNode, type ScalarNode, type TreeNode } from "./document/tree.ts";
import type { Findings } from "../diagnostic.ts";
import type { Places } from "./places.ts";
import { type Extra, switchWord } from "./schema/words.ts";

/** The keywords that this folder looks at. */
export interface Schema extends Extra {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

export interface Reading {
  readonly findings: Findings;
  readonly places: Places;
  /** For `{ file: PATH }`; undefined: it cannot be read. */
  readonly readFile: (path: string, from: string) => string | undefined;
  readonly glob: (pattern: string) => readonly string[];
  /** Where a file is that is named as seen from the file that names it. */
  readonly beside: (path: string, from: string) => string;
}

export function expand(schema: Schema, node: TreeNode, reading: Reading): unknown {
  const short = schema.expand !== undefined && !hasType(schema, node);
  if (short) {
    const before = plain(node);
    const long = schema.expand?.(before);
    if (long !== before) return expand(schema, treeOf(long, node), reading);
  }
  switch (schema.type) {
    case "object":
      return expandMap(schema, node, reading);
    case "array":
      return expandList(schema, node, reading);
    case "string":
      return expandText(schema, node, reading);
    case "integer":
    case "number":
      return numberOf(node);
    case "boolean":
      return switchWord(plain(node));
    default:
      return plain(node);
  }
}

function hasType(schema: Schema, node: TreeNode): boolean {
  if (schema.type === "object") return node.kind === "map";
  return schema.type === "array" ? node.kind === "list" : false;
}

function expandMap(schema: Schema, node: TreeNode, reading: Reading): unknown {
  if (node.kind !== "map") {
    if (!isNothing(node)) return plain(node);
    const empty = {};
    reading.places.remember(empty, { ...node, kind: "map", entries: new Map() });
    return empty;
  }
  const result: Record<string, unknown> = {};
  reading.places.remember(result, node);
  for (const [key, value] of node.entries) {
    const others =
      typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
    const inner = ownProperty(schema, key) ?? others;
    // A key with nothing after it says nothing, unless it opens a map.
    if (inner !== undefined && isNothing(value) && inner.type !== "object") continue;
    const expanded = inner === undefined ? plain(value) : expand(inner, value, reading);
    Object.defineProperty(result, key, { value: expanded, enumerable: true, configurable: true });
  }
  return result;
}

export function ownProperty(schema: Schema, key: string): Schema | undefined {
  const { properties } = schema;
  return properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;
}

function expandList(schema: Schema, node: TreeNode, reading: Reading): unknown {
  const items = itemsOf(schema, node);
  if (items === undefined) return plain(node);
  const result: unknown[] = [];
  reading.places.remember(result, { kind: "list", at: node.at, ...keyOf(node), items });
  for (const item of items) result.push(expand(schema.items!, item, reading));
  return result;
}

function keyOf(node: TreeNode): { key?: NonNullable<TreeNode["key"]> } {
  return node.key === undefined ? {} : { key: node.key };
}

function itemsOf(schema: Schema, node: TreeNode): readonly TreeNode[] | undefined {
  if (node.kind === "list") return node.items;
  if (schema.named === true && node.kind === "map") {
    return [...node.entries].map(([name, value]) => withName(name, value, schema));
  }
  if (isNothing(node)) return [];
  return schema.single === true ? [node] : undefined;
}

/** `web1: 10.0.0.1:80` in a map is the item `{ name: web1, address: 10.0.0.1:80 }`. */
function withName(name: string, value: TreeNode, schema: Schema): TreeNode {
  const at = value.key ?? value.at;
  const word: ScalarNode = { kind: "scalar", at, value: name, text: name, plain: false };
  const nameEntry: [string, TreeNode] = ["name", word];
  if (value.kind === "map") return { ...value, entries: new Map([...value.entries, nameEntry]) };
  const long = treeOf(schema.items?.expand?.(plain(value)), value);
  if (long.kind !== "map") return value;
  return { ...long, entries: new Map([...long.entries, nameEntry]) };
}

function expandText(schema: Schema, node: TreeNode, reading: Reading): unknown {
  if (node.kind === "scalar") {
    if (node.value === null) return null;
    const isPath = schema.kind?.name === "file" && !["", "-"].includes(node.text);
    return isPath ? reading.beside(node.text, node.at.file) : node.text;
  }
  const file =
    schema.fromFile === true && node.kind === "map" ? node.entries.get("file") : undefined;
  if (file === undefined || file.kind !== "scalar" || (node as MapNode).entries.size !== 1) {
    return plain(node);
  }
  const text = reading.readFile(file.text, file.at.file);
  if (text?.includes(UNREADABLE) === true) {
    const reason = `the file ${file.text} is not UTF-8: what is read is not what stands there`;
    reading.findings.warn(placeOf(file), reason, "save it as UTF-8 text");
  }
  if (text !== undefined) return schema.kind?.name === "secret" ? text.trim() : text;
  const next = "correct the path or its permissions";
  reading.findings.error(placeOf(file), `the file ${file.text} cannot be read`, next);
  return "";
}

/** Quoted numbers are numbers where a number is wanted: a variable may stand in quotes. */
function numberOf(node: TreeNode): unknown {
  if (node.kind !== "scalar" || typeof node.value !== "string") return plain(node);
  return /^-?\d+(?:\.\d+)?$/u.test(node.value) ? Number(node.value) : node.value;
}

function isNothing(node: TreeNode): boolean {
  return node.kind === "scalar" && node.value === null;
}

export function plain(node: TreeNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, value]) => [key, plain(value)]));
}

/** Data made of one node: all of it stands where that node stands. */
export function treeOf(data: unknown, node: TreeNode): TreeNode {
  const located = { at: placeOf(node), ...keyOf(node) };
  if (Array.isArray(data)) {
    return { kind: "list", ...located, items: data.map((item) => treeOf(item, node)) };
  }
  if (typeof data === "object" && data !== null) {
    const entries = Object.entries(data).map(([key, value]): [string, TreeNode] => {
      return [key, treeOf(value, node)];
    });
    return { kind: "map", ...located, entries: new Map(entries) };
  }
  const value = (data ?? null) as ScalarNode["value"];
  return { kind: "scalar", ...located, value, text: String(value ?? ""), plain: false };
}
