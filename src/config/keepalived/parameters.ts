/** `$NAME=value`, `${NAME}` and the predefined `${_…}`: keepalived.conf(5), Parameter substitution. */

import { resolve } from "node:path";
import type { Prng } from "../../lib/prng.ts";
import { type SourceLine, splice } from "./source-line.ts";

/** What the outside contributes to the meaning of a file. */
export interface Surroundings {
  /** `--config-id`; keepalived's default is the first label of the host name. */
  readonly configId: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly prng: Prng;
  /** A missing include is a warning, as in keepalived, not an error. */
  readonly permissive: boolean;
}

/** A value of one line, or the lines of a multi-line definition. */
export type ParameterValue = readonly string[];

/** What became of a line: text only, or lines that have to be read one after the other. */
export type Replaced =
  | { readonly kind: "line"; readonly line: SourceLine; readonly changed: boolean }
  | { readonly kind: "lines"; readonly lines: readonly SourceLine[] };

/** Bounds a parameter that contains itself. */
const MOST_REPLACEMENTS = 1000;

const REFERENCE = /\$\{([A-Za-z_]\w*)((?:\s+[^}]*)?)\}|\$([A-Za-z_]\w*)(?=\s|$)/gu;

export class Parameters {
  readonly #values = new Map<string, ParameterValue>();
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  define(name: string, value: ParameterValue): void {
    this.#values.set(name, value);
  }

  /** Replaces until nothing is left to replace. Undefined parameters stay as they are. */
  replace(line: SourceLine): Replaced {
    let current = line;
    for (let count = 0; count < MOST_REPLACEMENTS; count++) {
      const found = this.#first(current);
      if (found === undefined) return { kind: "line", line: current, changed: count > 0 };
      if (found.value.length > 1) {
        return { kind: "lines", lines: this.#unfold(current, found) };
      }
      current = splice(current, found.from, found.to, found.value[0] ?? "");
    }
    return { kind: "line", line: current, changed: true };
  }

  #unfold(line: SourceLine, at: Found): SourceLine[] {
    const whole = splice(line, at.from, at.to, "");
    const last = at.value.length - 1;
    return at.value.map((text, i) => {
      const before = i === 0 ? line.text.slice(0, at.from) : "";
      const after = i === last ? whole.text.slice(at.from) : "";
      const inside = splice({ ...line, text: line.text }, 0, line.text.length, "");
      const column = line.columns?.[at.from] ?? at.from + 1;
      const joined = before + text + after;
      return { ...inside, text: joined, columns: Array.from(joined, () => column) };
    });
  }

  #first(line: SourceLine): Found | undefined {
    for (const match of line.text.matchAll(REFERENCE)) {
      const name = match[1] ?? match[3]!;
      const value = this.#lookUp(name, (match[2] ?? "").trim(), line.file);
      if (value !== undefined) {
        return { from: match.index, to: match.index + match[0].length, value };
      }
    }
    return undefined;
  }

  #lookUp(name: string, argument: string, file: string): ParameterValue | undefined {
    const own = this.#values.get(name);
    if (own !== undefined) return own;
    switch (name) {
      case "_PWD":
        // Scripts are not started where the file was read.
        return [resolve(directoryOf(file))];
      case "_INSTANCE":
        return [this.#around.configId];
      case "_HASH":
        return ["#"];
      case "_BANG":
        return ["!"];
      case "_ENV":
        return [this.#around.environment[argument] ?? ""];
      case "_RANDOM":
        return [this.#random(argument)];
      default:
        return undefined;
    }
  }

  #random(argument: string): string {
    const [low = 0, high = 32767] = argument
      .split(/\s+/u)
      .filter((part) => part !== "")
      .map(Number);
    return String(this.#around.prng.between(Math.min(low, high), Math.max(low, high)));
  }
}

interface Found {
  readonly from: number;
  readonly to: number;
  readonly value: ParameterValue;
}

export function directoryOf(file: string): string {
  const slash = file.lastIndexOf("/");
  if (slash < 0) return ".";
  return slash === 0 ? "/" : file.slice(0, slash);
}
