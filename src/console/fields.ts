/**
 * What a query or a body may hold: one small table is the check of what comes in and the schema in
 * the OpenAPI document.
 */

export interface Field {
  /** What is in an array is for the handler to check. */
  readonly type: "string" | "integer" | "number" | "boolean" | "array";
  readonly description: string;
  readonly required?: boolean;
  readonly nullable?: boolean;
  readonly choices?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  /** Of a text, characters. Default 500. */
  readonly maxLength?: number;
}

export type Fields = Readonly<Record<string, Field>>;

const MAX_LENGTH = 500;
/** Texts end up in terminals. */
const CONTROL = /[^\P{Cc}\n\t]/u;

/** What is wrong, as a sentence with the next move. */
export function mistakeIn(value: unknown, fields: Fields): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return "send a JSON object";
  }
  const stranger = Object.keys(value).find((key) => !Object.hasOwn(fields, key));
  if (stranger !== undefined) {
    return `there is no '${stranger}'; there are: ${Object.keys(fields).join(", ") || "none"}`;
  }
  for (const [name, field] of Object.entries(fields)) {
    const one = (value as Readonly<Record<string, unknown>>)[name];
    const mistake = one === undefined ? missing(field) : wrong(one, field);
    if (mistake !== undefined) return `'${name}' ${mistake}`;
  }
  return undefined;
}

/** A query: everything is text; numbers become numbers. */
export function readQuery(query: URLSearchParams, fields: Fields): unknown {
  const value: Record<string, unknown> = {};
  for (const [name, text] of query) {
    const type = fields[name]?.type;
    const isNumber = type === "integer" || type === "number";
    value[name] = isNumber ? (text === "" ? Number.NaN : Number(text)) : text;
  }
  return value;
}

/** JSON Schema 2020-12 of one field, as OpenAPI 3.1 wants it. */
export function schemaOf(field: Field): Readonly<Record<string, unknown>> {
  const { type, description, nullable, choices, minimum, maximum, maxLength = MAX_LENGTH } = field;
  return {
    type: nullable === true ? [type, "null"] : type,
    description,
    ...(choices === undefined ? {} : { enum: choices }),
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum }),
    ...(type === "string" && choices === undefined ? { maxLength } : {}),
  };
}

function missing({ required }: Field): string | undefined {
  return required === true ? "is missing" : undefined;
}

function wrong(value: unknown, field: Field): string | undefined {
  if (value === null) return field.nullable === true ? undefined : "is null";
  const { type, choices, minimum = -Infinity, maximum = Infinity } = field;
  if (type === "string") return wrongText(value, field, choices);
  if (type === "array") return Array.isArray(value) ? undefined : "is a list";
  if (type === "boolean") return typeof value === "boolean" ? undefined : "is true or false";
  if (typeof value !== "number" || !Number.isFinite(value)) return "is a number";
  if (type === "integer" && !Number.isInteger(value)) return "is a whole number";
  return value < minimum || value > maximum ? `is from ${minimum} to ${maximum}` : undefined;
}

function wrongText(
  value: unknown,
  { maxLength = MAX_LENGTH, required }: Field,
  choices: readonly string[] | undefined,
): string | undefined {
  if (typeof value !== "string") return "is a text";
  if (choices !== undefined) {
    return choices.includes(value) ? undefined : `is one of ${choices.join(", ")}`;
  }
  if (required === true && value.trim() === "") return "is empty";
  if (value.length > maxLength) return `is longer than ${maxLength} characters`;
  return CONTROL.test(value) ? "holds control characters" : undefined;
}
