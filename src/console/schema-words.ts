/** Words of JSON Schema 2020-12, for descriptions of what the API answers. */

export type Schema = Readonly<Record<string, unknown>>;
export type Properties = Readonly<Record<string, Schema>>;

export const text: Schema = { type: "string" };
export const number: Schema = { type: "number" };
export const integer: Schema = { type: "integer" };
export const yes: Schema = { type: "boolean" };
/** Unix ms of the node that answers. */
export const moment: Schema = { type: "number", description: "Unix ms." };
export const span: Schema = { type: "number", description: "ms." };
export const share: Schema = { type: "number", minimum: 0, maximum: 1 };
export const anything: Schema = { type: "object" };

export function list(items: Schema): Schema {
  return { type: "array", items };
}

export function orNull(type: string): Schema {
  return { type: [type, "null"] };
}

export function words(...choices: readonly string[]): Schema {
  return { type: "string", enum: choices };
}

export function of(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** With these properties and no others. */
export function object(required: Properties, optional: Properties = {}): Schema {
  const properties = { ...required, ...optional };
  return {
    type: "object",
    properties,
    required: Object.keys(required),
    additionalProperties: false,
  };
}

export function map(values: Schema): Schema {
  return { type: "object", additionalProperties: values };
}
