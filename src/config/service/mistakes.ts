/**
 * Checks data against the schema and tells everything that does not fit, in words for the person
 * who wrote it. Ajv finds; this file says.
 */

import { Ajv, type ErrorObject, type FuncKeywordDefinition, type ValidateFunction } from "ajv";
import { closest } from "../../lib/spelling.ts";
import type { Place } from "../diagnostic.ts";
import type { Reading, Schema } from "./expand.ts";
import { type Converted, KINDS } from "./schema/kinds.ts";

/** What people write who know another program: the word for it here. */
const FOREIGN: Readonly<Record<string, string>> = {
  advert_int: "advert_every",
  backend: "pool",
  backends: "pools",
  bind: "listen",
  delay_loop: "every",
  downinter: "down_every",
  fastinter: "fast_every",
  inter: "every",
  interval: "every",
  location: "path",
  maxconn: "max_connections",
  proxy_pass: "pool",
  real_server: "servers",
  server: "servers",
  slowstart: "slow_start",
  unicast_peer: "peers",
  unicast_src_ip: "source",
  upstream: "pool",
  virtual_ipaddress: "ip",
  virtual_router_id: "router_id",
  vrrp_instance: "addresses",
};

type KindError = Pick<ErrorObject, "keyword" | "params"> & { parentSchema: unknown };

/** The keyword `kind`: one error that says why the text does not convert. */
const KIND: FuncKeywordDefinition = {
  keyword: "kind",
  type: "string",
  errors: true,
  validate: Object.assign(function validate(
    kind: NonNullable<Schema["kind"]>,
    data: string,
    parentSchema?: unknown,
  ) {
    const result: Converted = KINDS[kind.name].convert(data, kind);
    validators.errors = result.ok ? [] : [{ keyword: "kind", parentSchema, params: result }];
    return result.ok;
  }, {}),
};
const validators = KIND.validate as { errors?: KindError[] };

const ANNOTATIONS = [
  "short",
  "expand",
  "single",
  "named",
  "fromFile",
  "otherwise",
  "source",
  "like",
] as const;

export function compile(schema: Schema): ValidateFunction {
  // A test checks the schema itself; doing it here, and optimising code that runs once, would cost
  // each start 200 ms.
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    meta: false,
    validateSchema: false,
    inlineRefs: false,
    code: { optimize: false },
  });
  ajv.addKeyword(KIND);
  for (const name of ANNOTATIONS) ajv.addKeyword(name);
  return ajv.compile(inParts(schema));
}

/**
 * The check of each map is a function of its own. All in one, it is so long that the engine takes hundreds of
 * megabytes to make it fast, when a process has read some fifty times, and never gives them back.
 */
function inParts(schema: Schema): object {
  const parts = new Map<Schema, object>();
  const within = (one: Schema): object => {
    const { properties = {}, additionalProperties: more, items } = one;
    const each = Object.entries(properties).map(([key, value]) => [key, part(value)] as const);
    return {
      ...one,
      ...(one.properties && { properties: Object.fromEntries(each) }),
      ...(typeof more === "object" && { additionalProperties: part(more) }),
      ...(items && { items: part(items) }),
    };
  };
  const $defs: Record<string, object> = {};
  const part = (one: Schema): object => {
    if (one.properties === undefined) return within(one);
    const known = parts.get(one);
    if (known !== undefined) return known;
    const name = String(parts.size);
    const reference = { $ref: `#/$defs/${name}` };
    parts.set(one, reference);
    $defs[name] = within(one);
    return reference;
  };
  return { ...part(schema), $defs };
}

/** True: the data fits. */
export function checkShape(check: ValidateFunction, data: unknown, reading: Reading): boolean {
  if (check(data)) return true;
  for (const error of check.errors ?? []) report(error, data, reading);
  return false;
}

function report(error: ErrorObject, data: unknown, reading: Reading): void {
  const { findings } = reading;
  const schema = error.parentSchema as Schema;
  const found = locate(error, data, reading);
  // Of the names in a map it is the key that is wrong.
  const isName = error.schemaPath.includes("/propertyNames/");
  const place = isName ? found.keyPlace(String(error.data)) : found.at;
  const at = schema.kind?.name === "secret" ? { ...place, text: "" } : place;
  const said = sentence(error, schema, found);
  if (said !== undefined) findings.error(said.at ?? at, said.reason, said.next);
}

interface Found {
  readonly at: Place;
  /** The thing that holds the value, and the key or index under which it does. */
  readonly holder: unknown;
  readonly key: string;
  readonly keyPlace: (key: string) => Place;
}

function locate(error: ErrorObject, data: unknown, { places }: Reading): Found {
  const steps = error.instancePath.split("/").slice(1).map(unescapePointer);
  const key = steps.pop() ?? "";
  let holder = data;
  for (const step of steps) holder = (holder as Record<string, unknown>)[step];
  const value = key === "" ? data : (holder as Record<string, unknown>)[key];
  const inner = typeof value === "object" && value !== null ? value : undefined;
  // A list where none belongs became no data of ours: only who holds it knows where it stands.
  const isOurs = inner !== undefined && places.nodeOf(inner) !== undefined;
  return {
    at: isOurs ? places.of(inner) : places.at(holder as object, key),
    holder,
    key,
    keyPlace: (name) => places.key(inner ?? (holder as object), name),
  };
}

function unescapePointer(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

interface Sentence {
  readonly reason: string;
  readonly next: string;
  readonly at?: Place;
}

/** Undefined: another error says it already. */
function sentence(error: ErrorObject, schema: Schema, found: Found): Sentence | undefined {
  const name = found.key === "" ? "the file" : nameOf(found.key);
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case "kind": {
      const { reason, next } = params as { reason: string; next: string };
      return { reason: /^\d+$/u.test(found.key) ? reason : `${found.key}: ${reason}`, next };
    }
    case "type":
      return wrongType(schema, error.data, name);
    case "required": {
      const key = String(params["missingProperty"]);
      const what = schema.properties?.[key]?.description ?? "";
      return { reason: `${name} has no ${key}`, next: `add ${key}: ${firstLetterSmall(what)}` };
    }
    case "additionalProperties":
      return unknownKey(String(params["additionalProperty"]), schema, found);
    case "enum":
      return wrongChoice(schema, error.data, name);
    case "minimum":
    case "maximum":
      return {
        reason: `${name} ${String(error.data)} is out of range`,
        next: `write a number from ${schema.minimum} to ${schema.maximum}`,
      };
    case "minItems":
      return { reason: `${name} is empty`, next: `it takes ${describe(schema)}` };
    case "propertyNames":
      return undefined;
    default:
      return { reason: `${name}: ${error.message ?? "is wrong"}`, next: "" };
  }
}

/** Things in lists are called after their list. */
function nameOf(key: string): string {
  return /^\d+$/u.test(key) ? "this item" : key;
}

function firstLetterSmall(text: string): string {
  return text.replace(/^[A-Z](?=[a-z ])/u, (c) => c.toLowerCase()).replace(/\.$/u, "");
}

function wrongType(schema: Schema, data: unknown, name: string): Sentence {
  const is =
    data === null
      ? "has no value"
      : Array.isArray(data)
        ? "cannot be a list"
        : typeof data === "object"
          ? "cannot be a map"
          : `cannot be '${JSON.stringify(data).replaceAll('"', "")}'`;
  return { reason: `${name} ${is}`, next: `it takes ${describe(schema)}` };
}

function wrongChoice(schema: Schema, data: unknown, name: string): Sentence | undefined {
  const options = schema.enum ?? [];
  if (typeof data !== "string") return undefined;
  const text = data;
  // `leastconn` and `round_robin` are what others call it.
  const plain = (word: string): string => word.replaceAll(/[-_]/gu, "").toLowerCase();
  const near =
    options.find((option) => plain(option).startsWith(plain(text))) ?? closest(text, options);
  return {
    reason: `${name} cannot be '${text}'`,
    next: near === undefined ? `write one of: ${options.join(", ")}` : `did you mean '${near}'?`,
  };
}

function unknownKey(key: string, schema: Schema, found: Found): Sentence {
  const known = Object.keys(schema.properties ?? {});
  const foreign = FOREIGN[key];
  const near =
    foreign !== undefined && known.includes(foreign)
      ? foreign
      : (known.find((one) => one.startsWith(`${key}_`)) ?? closest(key, known));
  const next =
    near !== undefined
      ? `did you mean '${near}'?`
      : known.length === 0
        ? "it takes no keys: remove it"
        : `known are: ${known.slice(0, 24).join(" ")}${known.length > 24 ? " …" : ""}`;
  const at = found.keyPlace(key);
  const where = found.key === "" ? "" : ` in ${nameOf(found.key)}`;
  return { reason: `unknown key '${key}'${where}`, next, at: { ...at, text: at.text || key } };
}

/** What a key takes, in words: `a duration such as 250ms, 1s or 5m`. */
export function describe(schema: Schema): string {
  const forms = [
    longForm(schema),
    ...(schema.short ?? []).map((form) => longForm(form, true)),
    ...(schema.fromFile === true ? ["{ file: PATH }"] : []),
  ];
  return [...new Set(forms)].filter((form) => form !== "").join(", or ");
}

function longForm(schema: Schema, isForm = false): string {
  if (schema.enum !== undefined) return schema.enum.join(" | ");
  if (schema.kind !== undefined && schema.kind.name !== "secret")
    return KINDS[schema.kind.name].what;
  switch (schema.type) {
    case "object": {
      if (typeof schema.additionalProperties === "object") return "a map of names";
      const keys = Object.keys(schema.properties ?? {});
      return keys.length === 0 ? "" : `a map: ${keys.slice(0, 6).join(", ")}`;
    }
    case "array":
      return schema.single === true ? `${describe(schema.items ?? {})}, or a list of it` : "a list";
    case "integer":
      return `a whole number from ${schema.minimum} to ${schema.maximum}`;
    case "number":
      return `a number from ${schema.minimum} to ${schema.maximum}`;
    case "boolean":
      return "true or false";
    default:
      return isForm && schema.description !== undefined
        ? `a text (${schema.description.replace(/\.$/u, "")})`
        : "a text";
  }
}
