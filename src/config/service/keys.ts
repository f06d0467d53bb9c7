/** Every key of nines.yaml as a flat list: for the reference page and for `nines explain`. */

import type { Schema } from "./expand.ts";
import { describe } from "./mistakes.ts";
import { durationText, sizeText } from "./schema/kinds.ts";
import { serviceSchema } from "./schema/service-schema.ts";

export interface Key {
  readonly name: string;
  /** The map that it stands in: `pools.NAME.timeouts`; empty at the top. */
  readonly within: string;
  readonly meaning: string;
  readonly takes: string;
  readonly range: string;
  /** As a user would write it, or in words; empty: none. */
  readonly default: string;
  readonly required: boolean;
  readonly source: string;
  readonly examples: readonly string[];
  /** Keys inside, when it takes a map. */
  readonly holds: readonly string[];
}

/** In the order of the schema: a map before what is in it. */
export function allKeys(): Key[] {
  return keysWithin(serviceSchema as unknown as Schema, "");
}

export function pathOf(key: Pick<Key, "name" | "within">): string {
  return key.within === "" ? key.name : `${key.within}.${key.name}`;
}

function keysWithin(schema: Schema, within: string): Key[] {
  const entries = Object.entries(schema.properties ?? {});
  return entries.flatMap(([name, inner]) => {
    const required = schema.required?.includes(name) === true;
    const path = within === "" ? name : `${within}.${name}`;
    const [map, suffix] = mapInside(inner);
    return [
      keyOf({ name, within, schema: inner, required }),
      ...(map === undefined || inner.like !== undefined ? [] : keysWithin(map, `${path}${suffix}`)),
    ];
  });
}

/** The map behind names and lists, and how a path writes them. */
function mapInside(schema: Schema): readonly [Schema | undefined, string] {
  if (schema.type === "array" && schema.items !== undefined) {
    const [map, suffix] = mapInside(schema.items);
    return [map, `[]${suffix}`];
  }
  const { additionalProperties: others } = schema;
  if (typeof others === "object") {
    const [map, suffix] = mapInside(others);
    return [map, `.NAME${suffix}`];
  }
  return [schema.properties === undefined ? undefined : schema, ""];
}

interface KeyPlace {
  readonly name: string;
  readonly within: string;
  readonly schema: Schema;
  readonly required: boolean;
}

function keyOf({ name, within, schema, required }: KeyPlace): Key {
  const [map] = mapInside(schema);
  return {
    name,
    within,
    meaning: schema.description ?? "",
    takes: schema.like === undefined ? describe(schema) : `a name, or a map as in ${schema.like}`,
    range: rangeOf(schema),
    default: defaultOf(schema),
    required,
    source: schema.source ?? "",
    examples: (schema.examples ?? []).map((example) => valueText(example)),
    holds: schema.like === undefined ? Object.keys(map?.properties ?? {}) : [],
  };
}

function rangeOf(schema: Schema): string {
  const { kind, minimum, maximum } = schema;
  if (minimum !== undefined) return `${minimum} to ${maximum}`;
  if (kind?.max === undefined) return "";
  const show = kind.name === "duration" ? durationText : sizeText;
  return `${show(kind.min ?? 0)} to ${show(kind.max)}`;
}

function defaultOf(schema: Schema): string {
  if (schema.otherwise !== undefined) return schema.otherwise;
  const value = schema.default;
  const isEmpty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return value === undefined || isEmpty ? "" : valueText(value);
}

function valueText(value: unknown): string {
  if (value === "") return '""';
  if (Array.isArray(value)) return `[${value.map(valueText).join(", ")}]`;
  return typeof value === "string" ? value : JSON.stringify(value);
}
