/**
 * Checked data gets its defaults, and its texts become what they mean: milliseconds, bytes,
 * addresses. After this step nobody asks whether a value is present or sane.
 */

import { assert } from "../../lib/assert.ts";
import { type Reading, type Schema, expand, treeOf } from "./expand.ts";
import { KINDS } from "./schema/kinds.ts";
import type { TreeNode } from "./document/tree.ts";

export function convert(schema: Schema, data: unknown, reading: Reading): unknown {
  if (schema.kind !== undefined && typeof data === "string") {
    const { name, ...limits } = schema.kind;
    const result = KINDS[name].convert(data, limits);
    assert(result.ok, `'${data}' passed the check and is no ${name}`);
    return result.value;
  }
  if (Array.isArray(data)) {
    const items = data.map((item) => convert(schema.items!, item, reading));
    copyPlace(data, items, reading);
    return items;
  }
  if (schema.type !== "object" || typeof data !== "object" || data === null) return data;
  return convertMap(schema, data as Readonly<Record<string, unknown>>, reading);
}

function convertMap(
  schema: Schema,
  data: Readonly<Record<string, unknown>>,
  reading: Reading,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  copyPlace(data, result, reading);
  const { additionalProperties: others, properties } = schema;
  for (const [key, inner] of Object.entries(properties ?? {})) {
    if (Object.hasOwn(data, key)) result[key] = convert(inner, data[key], reading);
    else if (inner.default !== undefined) result[key] = defaultOf(inner, data, reading);
  }
  for (const [key, value] of Object.entries(data)) {
    if (typeof others === "object") result[key] = convert(others, value, reading);
  }
  return result;
}

/** Defaults are written as a user would write them. They stand where their map stands. */
function defaultOf(schema: Schema, parent: object, reading: Reading): unknown {
  const at = reading.places.of(parent);
  const around: TreeNode = { kind: "map", at, entries: new Map() };
  return convert(schema, expand(schema, treeOf(schema.default, around), reading), reading);
}

function copyPlace(from: object, to: object, reading: Reading): void {
  const node = reading.places.nodeOf(from);
  if (node !== undefined) reading.places.remember(to, node);
}
