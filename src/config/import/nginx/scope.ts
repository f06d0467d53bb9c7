/** A place in nginx.conf with what it inherits. Whoever reads a directive uses it; the rest is told. */

import type { Directive } from "./parse.ts";

export class Scope {
  readonly own: readonly Directive[];
  readonly #outer: Scope | undefined;
  readonly #used: Set<Directive>;

  constructor(own: readonly Directive[], used: Set<Directive>, outer?: Scope) {
    this.own = own;
    this.#used = used;
    this.#outer = outer;
  }

  inside(block: readonly Directive[]): Scope {
    return new Scope(block, this.#used, this);
  }

  use(directive: Directive): void {
    this.#used.add(directive);
  }

  /** All of a name on the innermost level that has one: levels replace each other. */
  all(name: string): readonly Directive[] {
    const found = this.here(name);
    return found.length > 0 || this.#outer === undefined ? found : this.#outer.all(name);
  }

  /** On this level only. */
  here(name: string): readonly Directive[] {
    const found = this.own.filter((directive) => directive.name === name);
    for (const directive of found) this.#used.add(directive);
    return found;
  }

  /** As `all`, of several names that belong together, in their order. */
  allOf(names: readonly string[]): readonly Directive[] {
    const found = this.own.filter((directive) => names.includes(directive.name));
    for (const directive of found) this.#used.add(directive);
    return found.length > 0 || this.#outer === undefined ? found : this.#outer.allOf(names);
  }

  last(name: string): Directive | undefined {
    return this.all(name).at(-1);
  }

  /** The first argument of the last. */
  value(name: string): string | undefined {
    return this.last(name)?.args[0];
  }
}

const MS: Readonly<Record<string, number>> = {
  ms: 1,
  "": 1000,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  M: 2_592_000_000,
  y: 31_536_000_000,
};

/** Milliseconds of `30`, `30s`, `1m30s`. */
export function timeMs(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d+(?:ms|[smhdwMy])?\s*)+$/u.test(text)) return undefined;
  let ms = 0;
  for (const [, number, unit = ""] of text.matchAll(/(\d+)(ms|[smhdwMy])?/gu)) {
    ms += Number(number) * MS[unit]!;
  }
  return ms;
}

/** Bytes of `512`, `8k`, `1m`. */
export function sizeBytes(text: string | undefined): number | undefined {
  const [, number, unit = ""] = /^(\d+)([kmg]?)$/iu.exec(text ?? "") ?? [];
  if (number === undefined) return undefined;
  return Number(number) * ({ "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit.toLowerCase()] ?? 1);
}
