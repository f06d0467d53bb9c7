/** What people put behind `npm run bench -- NAME`. A mistake is told before anything is started. */

/** The asker's mistake, in one line. */
export class WrongOption extends Error {}

/** A number above 0, written as `--option text`. */
export function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new WrongOption(`--${option}: '${text}' is not a number above 0`);
}

export function wholeNumber(option: string, text: string): number {
  const value = positive(option, text);
  if (Number.isInteger(value)) return value;
  throw new WrongOption(`--${option}: '${text}' is not a whole number`);
}

export function positives(option: string, text: string): number[] {
  return text.split(",").map((one) => positive(option, one));
}

/** Those whose name contains the text; all without one. */
export function named<T extends { readonly name: string }>(
  all: readonly T[],
  [option, text = ""]: readonly [option: string, text: string | undefined],
): readonly T[] {
  const found = all.filter(({ name }) => name.includes(text));
  if (found.length > 0) return found;
  throw unknownName(
    option,
    text,
    all.map(({ name }) => name),
  );
}

/** A list of names, each of which `all` has. */
export function namesOf(
  all: Readonly<Record<string, unknown>>,
  [option, text]: readonly [option: string, text: string],
): readonly string[] {
  const names = text.split(",");
  const stranger = names.find((name) => !Object.hasOwn(all, name));
  if (stranger === undefined) return names;
  throw unknownName(option, stranger, Object.keys(all));
}

function unknownName(option: string, text: string, known: readonly string[]): WrongOption {
  return new WrongOption(`--${option}: '${text}' is none of these:\n  ${known.join("\n  ")}`);
}

/** Of `parseArgs`, too, which has errors of its own. */
export function isWrongOption(error: unknown): error is Error {
  if (error instanceof WrongOption) return true;
  if (!(error instanceof TypeError) || !("code" in error)) return false;
  return String(error.code).startsWith("ERR_PARSE_ARGS");
}
