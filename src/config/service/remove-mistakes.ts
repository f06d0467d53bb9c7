/**
 * Takes out of a document what does not fit the schema, so that the rest can be asked about: a
 * certificate that is not there is worth a word beside a misspelt key, not after it.
 */

import type { ErrorObject, ValidateFunction } from "ajv";

/** Each round takes out what the one before uncovered: an item that lacks a part goes whole. */
const MOST_ROUNDS = 10;

type Holder = Record<string, unknown> | unknown[];

/** Changes `data`. False: nothing that fits is left. */
export function removeMistakes(check: ValidateFunction, data: unknown): boolean {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (check(data)) return true;
    // Lists from behind, so that the numbers of what is still to go stay right.
    const paths = [...new Set((check.errors ?? []).map(pathOf))].sort(byNumbers).reverse();
    for (const path of paths) if (!remove(data, path.split("/").slice(1))) return false;
  }
  return false;
}

/** Of what has to go: a key that nobody knows, else the value that is wrong or lacks something. */
function pathOf({ keyword, instancePath, params }: ErrorObject): string {
  const unknown = keyword === "additionalProperties" ? params["additionalProperty"] : undefined;
  if (typeof unknown !== "string") return instancePath;
  return `${instancePath}/${unknown.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function byNumbers(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

function remove(data: unknown, steps: readonly string[]): boolean {
  const keys = steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop();
  if (last === undefined) return false;
  let holder = data;
  for (const key of keys) holder = isHolder(holder) ? (holder as never)[key] : undefined;
  // Gone already, with what held it.
  if (!isHolder(holder)) return true;
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete holder[last];
  return true;
}

function isHolder(value: unknown): value is Holder {
  return typeof value === "object" && value !== null;
}
