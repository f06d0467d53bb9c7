/** `~SEQ(var, start, step, end)`, `~SEQx(…)` and `~LST(…)`: one line processed many times. */

/** One round: the variables and the value each of them has. */
type Round = readonly (readonly [name: string, value: string])[];

export interface Sequence {
  readonly rounds: readonly Round[];
}

/** More rounds than any real configuration has. */
const MOST_ROUNDS = 100_000;

/**
 * Reads the sequence that `text` starts with. A string says what is wrong; undefined means that
 * the line does not start with a sequence.
 */
export function parseSequence(text: string): Sequence | string | undefined {
  const head = /^\s*~(SEQx?|LST)\s*\(/u.exec(text);
  if (head === null) return undefined;
  const close = text.indexOf(")", head[0].length);
  if (close < 0) return `~${head[1]}( is never closed`;
  const body = text.slice(head[0].length, close);
  const rounds = head[1] === "LST" ? listRounds(body) : countRounds(body, head[1] === "SEQx");
  return typeof rounds === "string" ? rounds : { rounds };
}

function countRounds(body: string, hexadecimal: boolean): Round[] | string {
  const [name = "", ...rest] = body.split(",").map((part) => part.trim());
  if (!/^[A-Za-z_]\w*$/u.test(name)) return `~SEQ needs a variable name, not '${name}'`;
  const numbers = rest.map(Number);
  if (numbers.length < 1 || numbers.length > 3 || numbers.some((n) => !Number.isInteger(n))) {
    return "~SEQ needs whole numbers: (VAR, START, STEP, END), (VAR, START, END) or (VAR, END)";
  }
  const end = numbers.at(-1)!;
  const start = numbers.length === 1 ? (end < 0 ? -1 : 1) : numbers[0]!;
  const step = numbers.length === 3 ? numbers[1]! : end < start ? -1 : 1;
  if (step === 0) return "~SEQ with step 0 never ends";
  const count = Math.floor((end - start) / step) + 1;
  if (count > MOST_ROUNDS) return `~SEQ would repeat the line ${count} times`;
  return Array.from({ length: Math.max(0, count) }, (_, i) => {
    const value = start + i * step;
    return [[name, hexadecimal ? value.toString(16) : String(value)]] as const;
  });
}

function listRounds(body: string): Round[] | string {
  const parts = splitOutsideBraces(body);
  const names = inner(parts[0] ?? "");
  if (names.some((n) => !/^[A-Za-z_]\w*$/u.test(n))) return "~LST needs variable names first";
  const rounds: Round[] = [];
  for (const part of parts.slice(1)) {
    const values = inner(part);
    if (values.length !== names.length) {
      return `~LST has ${names.length} variables but '${part}' gives ${values.length} values`;
    }
    rounds.push(names.map((name, i) => [name, values[i]!] as const));
  }
  return rounds.length === 0 ? "~LST needs at least one value" : rounds;
}

function inner(part: string): string[] {
  return part.startsWith("{") ? splitOutsideBraces(part.slice(1, -1)) : [part];
}

function splitOutsideBraces(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = "";
  for (const c of text) {
    if (c === "{") depth++;
    if (c === "}") depth--;
    if (c === "," && depth === 0) {
      parts.push(current.trim());
      current = "";
    } else current += c;
  }
  parts.push(current.trim());
  return parts;
}
