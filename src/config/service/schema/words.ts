/**
 * The words that the schema of nines.yaml is written in: JSON Schema with a few keywords of our
 * own. TypeScript infers the type of what a file becomes - defaults filled in, durations in
 * milliseconds - from the very same values.
 *
 * A property is required when it has neither a default nor `optional(…)` around it.
 */

import type { Static, TObject, TOptional, TProperties, TSchema, TUnsafe } from "typebox";
import { type KindName, parseDuration } from "./kinds.ts";

/** Keywords beside those of JSON Schema. */
export interface Extra {
  /** How a text is converted, and between which limits of the result. */
  readonly kind?: { readonly name: KindName; readonly min?: number; readonly max?: number };
  /** Other forms that are accepted, for editors and pages. */
  readonly short?: readonly TSchema[];
  /** Makes the long form of a value that is not of the long form's type. */
  readonly expand?: (value: unknown) => unknown;
  /** One value stands for a list of it. */
  readonly single?: boolean;
  /** A map of names stands for a list of things with `name`. */
  readonly named?: boolean;
  /** `{ file: PATH }` stands for the content of that file. */
  readonly fromFile?: boolean;
  /** Key whose map this one is like: pages describe it there, editors share one definition. */
  readonly like?: string;
  /** The default in words, when it is no value: `a quarter of every`. */
  readonly otherwise?: string;
  /** Where the meaning is defined: an RFC, the documentation of a peer. */
  readonly source?: string;
}

export interface Hints<T> {
  /** As a user would write it. */
  readonly default?: T;
  readonly otherwise?: string;
  readonly source?: string;
  readonly examples?: readonly unknown[];
}

/** TypeBox gives the types and is not loaded: its modules would cost each start 200 ms. */
function typed<T>(schema: Extra & Readonly<Record<string, unknown>>): TUnsafe<T> {
  return schema as unknown as TUnsafe<T>;
}

/** Marks a property that may be left out and has no default. */
const OPTIONAL = "~optional";

export function optional<S extends TSchema>(schema: S): TOptional<S> {
  return Object.defineProperty({ ...schema }, OPTIONAL, { value: true }) as unknown as TOptional<S>;
}

/** A map with these keys and no others. */
export function block<P extends TProperties>(description: string, properties: P): TObject<P> {
  const required = Object.entries(properties)
    .filter(([, schema]) => !(OPTIONAL in schema) && !("default" in schema))
    .map(([key]) => key);
  const schema = { type: "object", properties, required, additionalProperties: false, description };
  return schema as unknown as TObject<P>;
}

/** A block that may be left out: then each of its keys has its default. */
export function section<P extends TProperties>(description: string, properties: P): TObject<P> {
  return Object.assign(block(description, properties), { default: {} });
}

/** A map of names that the user chooses. */
export function named<S extends TSchema>(
  description: string,
  item: S,
): TUnsafe<Record<string, Static<S>>> {
  return typed<Record<string, Static<S>>>({
    type: "object",
    propertyNames: { type: "string", kind: { name: "name" } },
    additionalProperties: item,
    description,
    default: {},
  });
}

export function list<S extends TSchema>(
  description: string,
  items: S,
  extra: Extra & { readonly default?: unknown; readonly minItems?: number } = {},
): TUnsafe<Static<S>[]> {
  return typed<Static<S>[]>({ type: "array", items, description, ...extra });
}

/** A list; one value alone stands for a list of it. */
export function oneOrMore<S extends TSchema>(
  description: string,
  items: S,
  extra: { readonly default?: unknown } = {},
): TUnsafe<Static<S>[]> {
  return list(description, items, { single: true, ...extra });
}

/** A map of names of another rule than ours: of headers, cookies, query parameters. */
export function fields<S extends TSchema>(
  description: string,
  item: S,
  names: "token" | "any" = "token",
): TUnsafe<Record<string, Static<S>>> {
  return typed<Record<string, Static<S>>>({
    type: "object",
    ...(names === "token" ? { propertyNames: { type: "string", kind: { name: "token" } } } : {}),
    additionalProperties: item,
    description,
  });
}

/** A list of things with `name`; a map of names stands for it. */
export function namedList<S extends TSchema>(description: string, items: S): TUnsafe<Static<S>[]> {
  return list(description, items, { named: true, default: [] });
}

/** `true` stands for the block with its defaults, `false` for what `off` says. */
export function switchable<S extends TSchema>(long: S, off?: Readonly<Record<string, unknown>>): S {
  const on = flag("On with the defaults below, or off.");
  return short(long, [on], (value) => {
    const isOn = switchWord(value);
    return isOn === true ? {} : isOn === false ? (off ?? isOn) : value;
  });
}

const SWITCH_WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  false: false,
  no: false,
  off: false,
};

/** YAML 1.1 knew yes, no, on and off; people still write them. Anything else stays what it is. */
export function switchWord(value: unknown): unknown {
  const word = typeof value === "string" ? value.toLowerCase() : "";
  return Object.hasOwn(SWITCH_WORDS, word) ? SWITCH_WORDS[word] : value;
}

/** The long form, with shorter ones that `expand` turns into it. */
export function short<S extends TSchema>(
  long: S,
  forms: readonly TSchema[],
  expand: (value: unknown) => unknown,
): S {
  return { ...long, short: forms, expand };
}

export function text(description: string, hints: Hints<string> = {}): TUnsafe<string> {
  return typed<string>({ type: "string", description, ...hints });
}

export function flag(description: string, hints: Hints<boolean> = {}): TUnsafe<boolean> {
  return typed<boolean>({ type: "boolean", description, ...hints });
}

export function integer(
  description: string,
  minimum: number,
  maximum: number,
  hints: Hints<number> = {},
): TUnsafe<number> {
  return typed<number>({ type: "integer", minimum, maximum, description, ...hints });
}

export function number(
  description: string,
  minimum: number,
  maximum: number,
  hints: Hints<number> = {},
): TUnsafe<number> {
  return typed<number>({ type: "number", minimum, maximum, description, ...hints });
}

export function choice<const T extends string>(
  description: string,
  options: readonly T[],
  hints: Hints<T> = {},
): TUnsafe<T> {
  return typed<T>({ type: "string", enum: options, description, ...hints });
}

/** Kinds whose result is text, too. */
type TextKind =
  | "ip"
  | "prefix"
  | "regex"
  | "name"
  | "token"
  | "field"
  | "fieldName"
  | "ownPath"
  | "template"
  | "path"
  | "host"
  | "url";

/** Text of a kind that converts to itself in canonical form. */
export function kind(
  name: TextKind,
  description: string,
  hints: Hints<string> = {},
): TUnsafe<string> {
  return typed<string>({ type: "string", kind: { name }, description, ...hints });
}

/** Milliseconds. */
export function duration(
  description: string,
  hints: Hints<string> & { readonly min?: string; readonly max?: string } = {},
): TUnsafe<number> {
  const { min = "0", max = "30d", ...rest } = hints;
  const limits = { min: parseDuration(min) ?? 0, max: parseDuration(max) ?? 0 };
  return typed<number>({
    type: "string",
    kind: { name: "duration", ...limits },
    description,
    ...rest,
  });
}

/** Bytes. */
export function size(
  description: string,
  max: number,
  hints: Hints<string> & { readonly min?: number } = {},
): TUnsafe<number> {
  const { min = 0, ...rest } = hints;
  return typed<number>({
    type: "string",
    kind: { name: "size", min, max },
    description,
    ...rest,
  });
}

/** Text of a kind that becomes something else; the caller names what. */
export function special<T>(
  name: KindName,
  description: string,
  hints: Hints<string> = {},
): TUnsafe<T> {
  return typed<T>({ type: "string", kind: { name }, description, ...hints });
}

export function hex(description: string, hints: Hints<string> = {}): TUnsafe<Uint8Array> {
  return typed<Uint8Array>({ type: "string", kind: { name: "hex" }, description, ...hints });
}

/** The name of a file, as seen from the file that names it. */
export function file(description: string, hints: Hints<string> = {}): TUnsafe<string> {
  return typed<string>({ type: "string", kind: { name: "file" }, description, ...hints });
}

/** A text that may come from a file; never shown in messages. */
export function secret(description: string, hints: Hints<string> = {}): TUnsafe<string> {
  return typed<string>({
    type: "string",
    kind: { name: "secret" },
    fromFile: true,
    description,
    ...hints,
  });
}

/** A longer text that may come from a file. */
export function content(description: string, hints: Hints<string> = {}): TUnsafe<string> {
  return typed<string>({ type: "string", fromFile: true, description, ...hints });
}
