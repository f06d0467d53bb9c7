/**
 * Everything that happened, as one number and, on demand, as text. Two runs of a seed are the
 * same run exactly when their hashes are equal (FNV-1a, 32 bits, over every line).
 */
export class Trace {
  readonly lines: string[] = [];
  readonly #keep: boolean;
  #hash = 0x811c9dc5;
  #events = 0;

  /** `keep`: also store the lines; costs memory, used to print a failing seed. */
  constructor(keep: boolean) {
    this.#keep = keep;
  }

  get hash(): number {
    return this.#hash;
  }

  get events(): number {
    return this.#events;
  }

  add(nowMs: number, who: string, what: string): void {
    this.#events++;
    this.#mix(Math.round(nowMs * 1000));
    this.#mixText(who);
    this.#mixText(what);
    if (this.#keep) this.lines.push(line(nowMs, who, what));
  }

  /** For the hot path: numbers count towards the hash, their text is made only when kept. */
  addLazily(nowMs: number, who: string, value: number, what: () => string): void {
    this.#events++;
    this.#mix(Math.round(nowMs * 1000));
    this.#mix(value);
    if (this.#keep) this.lines.push(line(nowMs, who, what()));
  }

  #mixText(text: string): void {
    let hash = this.#hash;
    for (let i = 0; i < text.length; i++) {
      hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    }
    this.#hash = hash >>> 0;
  }

  #mix(value: number): void {
    let hash = this.#hash;
    for (let rest = value >>> 0, i = 0; i < 4; i++, rest >>>= 8) {
      hash = Math.imul(hash ^ (rest & 0xff), 0x01000193);
    }
    this.#hash = hash >>> 0;
  }
}

function line(nowMs: number, who: string, what: string): string {
  return `${nowMs.toFixed(3).padStart(11)} ${who.padEnd(7)} ${what}`;
}
