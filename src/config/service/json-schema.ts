/** JSON Schema for editors: completion, hover texts and first mistakes while typing. */

import type { Schema } from "./expand.ts";
import { type Kind, type KindName, KINDS } from "./schema/kinds.ts";
import { checkSchema } from "./schema/check-schema.ts";
import { serviceSchema } from "./schema/service-schema.ts";

type Json = Readonly<Record<string, unknown>>;

/** Draft 7, which the YAML language server understands best. */
export function jsonSchema(): Json {
  const { default: _, ...top } = editorForm(serviceSchema as unknown as Schema);
  const properties = {
    ...(top["properties"] as Json),
    include: {
      description: "Further files, as seen from this one.",
      anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }],
    },
  };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: "https://nines.dev/nines.schema.json",
    title: "nines.yaml",
    ...top,
    properties,
    definitions: { checks: longForm(checkSchema as unknown as Schema) },
  };
}

/** A variable may stand wherever a value may. */
const VARIABLE = "\\$\\{[A-Z_][A-Z0-9_]*(:-[^}]*)?\\}";

function editorForm(schema: Schema): Json {
  const { description, default: standard, examples } = schema;
  const around = {
    ...(description === undefined ? {} : { description: withDefault(schema) }),
    ...(standard === undefined ? {} : { default: standard }),
    ...(examples === undefined ? {} : { examples }),
  };
  const reference = { $ref: `#/definitions/${schema.like}` };
  const isLike = schema.like !== undefined && schema.type !== "array";
  const forms = [isLike ? reference : longForm(schema), ...otherForms(schema)];
  return forms.length === 1 ? { ...around, ...forms[0] } : { ...around, anyOf: forms };
}

function withDefault({ description = "", otherwise, source }: Schema): string {
  const more = [
    ...(otherwise === undefined ? [] : [`Default: ${otherwise}.`]),
    ...(source === undefined ? [] : [`Source: ${source}.`]),
  ];
  return [description, ...more].join(" ");
}

function otherForms(schema: Schema): Json[] {
  const forms = (schema.short ?? []).map((form) => editorForm(form as unknown as Schema));
  if (schema.single === true) forms.push(editorForm(schema.items!));
  if (schema.named === true) {
    forms.push({ type: "object", additionalProperties: editorForm(withoutName(schema.items!)) });
  }
  if (schema.fromFile === true) forms.push(FILE);
  if (["integer", "number", "boolean"].includes(schema.type ?? "")) {
    forms.push({ type: "string", pattern: VARIABLE });
  }
  if (schema.type === "object" && schema.required?.length !== 0 && schema.default !== undefined) {
    forms.push({ type: "null" });
  }
  return forms;
}

const FILE: Json = {
  type: "object",
  properties: { file: { type: "string", description: "File that holds it." } },
  required: ["file"],
  additionalProperties: false,
};

/** In a map, the key is the name. */
function withoutName(items: Schema): Schema {
  const { name: _, ...properties } = items.properties ?? {};
  return { ...items, properties };
}

function longForm(schema: Schema): Json {
  const { type, properties, items, additionalProperties: others, required } = schema;
  if (type === "object") {
    const isOpen = typeof others === "object";
    return {
      type,
      ...(properties === undefined ? {} : { properties: mapValues(properties, editorForm) }),
      additionalProperties: isOpen ? editorForm(others) : false,
      ...(required === undefined || required.length === 0 ? {} : { required }),
    };
  }
  if (type === "array") return { type, items: editorForm(items ?? {}) };
  if (type === "string") return textForm(schema);
  const { minimum, maximum } = schema;
  return { type, ...(minimum === undefined ? {} : { minimum, maximum }) };
}

/** Numbers are fine where a text is wanted: `port: 80`, `mode: 660`. */
function textForm({ enum: options, kind }: Schema): Json {
  if (options !== undefined) {
    const numbers = options.map(Number).filter((number) => options.includes(String(number)));
    if (numbers.length === 0) return { type: "string", enum: options };
    return { type: ["string", "number"], enum: [...options, ...numbers] };
  }
  const pattern = kind === undefined ? undefined : patternOf(kind.name);
  // A number alone has no unit: it can only be 0.
  const limit =
    kind?.name === "duration" || kind?.name === "rate" ? { minimum: 0, maximum: 0 } : {};
  if (pattern !== undefined) return { type: ["string", "number"], pattern, ...limit };
  return { type: ["string", "number", "boolean"] };
}

function patternOf(name: KindName): string | undefined {
  const known: Kind = KINDS[name];
  return known.pattern === undefined ? undefined : `${known.pattern}|${VARIABLE}`;
}

function mapValues(map: Readonly<Record<string, Schema>>, to: (schema: Schema) => Json): Json {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, to(value)]));
}
