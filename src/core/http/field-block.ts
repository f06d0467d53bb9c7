/**
 * The header (or trailer) section: positions of names and values in the caller's bytes, nothing
 * copied. Positions are relative to `base`, so that a head may move to another buffer. Used again
 * for message after message: nothing is allocated per message.
 */

import { isName, isText, NAME, sameText, textOf, endOfValue } from "./octets.ts";
import {
  candidateOf,
  END_TO_END,
  FIELD_OCTETS,
  FIELDS,
  fieldNumber,
  HOP_BY_HOP,
  hashStep,
  nameHash,
  type FieldName,
} from "./field-names.ts";
import type { RefusalReason } from "./refusals.ts";

/** Both bound what is kept of a head; see `FrontendLimits` for the defaults. */
export interface HeadLimits {
  /** Octets of the start line and all fields. */
  readonly bytes: number;
  readonly fields: number;
}

/** Result of a parse step besides a position: more octets are needed. */
export const MORE = 0;
/** Result of a parse step besides a position: `refused` says why. */
export const REFUSED = -1;

const CONNECTION = fieldNumber("connection");
/** Of a name that is kept. */
const NAME_WORDS = 8;

export class FieldBlock {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the message starts in `bytes`. */
  base = 0;
  count = 0;
  refused: RefusalReason | undefined;
  /** Per field: name from, name to, value from, value to. */
  spans: Int32Array;
  /** Number of each field's name, see `FIELDS`; 0 = any other. */
  numbers: Uint8Array;
  /** 1: of this connection only, not to be forwarded. */
  hop: Uint8Array;
  /** Of each field's name in lower case. */
  hashes: Int32Array;
  /** Index + 1 of the first field of each number; 0 = absent. */
  readonly first: Uint16Array = new Uint16Array(FIELDS.length + 1);
  /** How many fields have this number. */
  readonly repeats: Uint16Array = new Uint16Array(FIELDS.length + 1);

  /** The names of the last messages, by place: the length, 0 = not kept, and four octets in each word. */
  #known: Uint8Array;
  #words: Int32Array;
  /** Of `bytes`. */
  #view = new DataView(this.bytes.buffer);

  constructor(room = 32) {
    this.spans = new Int32Array(room * 4);
    this.numbers = new Uint8Array(room);
    this.hop = new Uint8Array(room);
    this.hashes = new Int32Array(room);
    this.#known = new Uint8Array(room);
    this.#words = new Int32Array(room * NAME_WORDS);
  }

  protected clearFields(): void {
    // Only what the last message had: `fill` costs more than the few numbers of a message.
    for (let i = 0; i < this.count; i++) {
      const number = this.numbers[i]!;
      this.first[number] = 0;
      this.repeats[number] = 0;
    }
    this.count = 0;
    this.refused = undefined;
  }

  /** The same octets now start at `base` of `bytes`. */
  moveTo(bytes: Uint8Array, base: number): void {
    this.base = base;
    if (bytes === this.bytes) return;
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * Reads field lines from `at` (relative). Gives the position after the empty line, MORE with
   * `resumeAt` set to the line that is incomplete, or REFUSED.
   */
  protected readFields(at: number, end: number, limits: HeadLimits): number {
    const { bytes, base } = this;
    for (;;) {
      this.resumeAt = at;
      if (at >= end) return MORE;
      if (bytes[base + at] === 13) {
        if (at + 1 >= end) return MORE;
        return bytes[base + at + 1] === 10 ? at + 2 : this.refuse("bad-line-end");
      }
      if (this.count >= limits.fields) return this.refuse("too-many-headers");
      const next = this.#readField(at, end);
      if (next <= 0) return next;
      at = next;
    }
  }

  protected resumeAt = 0;

  #readField(start: number, end: number): number {
    const { bytes, base } = this;
    if (this.count >= this.numbers.length) this.#grow();
    const known = this.#knownName(base + start);
    const nameEnd = known > 0 ? start + known : this.#readName(start, end);
    if (nameEnd <= 0) return nameEnd;
    let at = nameEnd + 1;
    let octet = 0;
    while (at < end && ((octet = bytes[base + at]!) === 32 || octet === 9)) at++;
    const valueStart = at;
    at = endOfValue(bytes, this.#view, base + at, base + end) - base;
    if (at >= end) return MORE;
    octet = bytes[base + at]!;
    if (octet !== 13) return this.refuse(octet === 10 ? "bad-line-end" : "bad-header-value");
    if (at + 1 >= end) return MORE;
    if (bytes[base + at + 1] !== 10) return this.refuse("bad-line-end");
    let valueEnd = at;
    while (valueEnd > valueStart && isBlank(bytes[base + valueEnd - 1]!)) valueEnd--;
    const { spans } = this;
    const index = this.count++;
    const span = index * 4;
    spans[span] = start;
    spans[span + 1] = nameEnd;
    spans[span + 2] = valueStart;
    spans[span + 3] = valueEnd;
    const number = this.numbers[index]!;
    this.hop[index] = HOP_BY_HOP[number]!;
    if (number > 0) {
      if (this.first[number] === 0) this.first[number] = index + 1;
      this.repeats[number]!++;
    }
    return at + 2;
  }

  /**
   * The length of the next field's name, when it is letter for letter that of the field at the same place in
   * the message before, as it mostly is: nothing has to be found out about it. Else 0.
   */
  #knownName(from: number): number {
    const length = this.#known[this.count]!;
    // The colon may lie behind the end of what has come: then so does the value, and more is waited for.
    if (length === 0 || this.bytes[from + length] !== 58) return 0;
    const view = this.#view;
    const words = this.#words;
    const last = from + length - 4;
    let word = this.count * NAME_WORDS;
    for (let at = from; at < last; at += 4) {
      if (view.getInt32(at, true) !== words[word++]) return 0;
    }
    return view.getInt32(last, true) === words[word] ? length : 0;
  }

  /** Gives the position of the colon, MORE or REFUSED. */
  #readName(start: number, end: number): number {
    const { bytes, base, count } = this;
    let at = start;
    let hash = 0;
    let octet = bytes[base + at]!;
    if (octet === 32 || octet === 9) return this.refuse("folded-header");
    for (let lower; (lower = NAME[octet]!) !== 0;) {
      hash = hashStep(hash, lower);
      if (++at >= end) return MORE;
      octet = bytes[base + at]!;
    }
    if (octet !== 58 || at === start) {
      return this.refuse(octet === 10 ? "bad-line-end" : "bad-header-name");
    }
    let number = candidateOf(hash);
    if (number > 0 && !isName(bytes, base + start, base + at, FIELD_OCTETS[number]!)) number = 0;
    this.hashes[count] = hash;
    this.numbers[count] = number;
    this.#remember(base + start, at - start);
    return at;
  }

  #remember(from: number, length: number): void {
    const isRemembered = length >= 4 && length <= NAME_WORDS * 4;
    this.#known[this.count] = isRemembered ? length : 0;
    if (!isRemembered) return;
    const last = from + length - 4;
    let word = this.count * NAME_WORDS;
    for (let at = from; at < last; at += 4) this.#words[word++] = this.#view.getInt32(at, true);
    this.#words[word] = this.#view.getInt32(last, true);
  }

  #grow(): void {
    const room = this.numbers.length * 2;
    this.spans = grown(this.spans, new Int32Array(room * 4));
    this.numbers = grown(this.numbers, new Uint8Array(room));
    this.hop = grown(this.hop, new Uint8Array(room));
    this.hashes = grown(this.hashes, new Int32Array(room));
    this.#known = grown(this.#known, new Uint8Array(room));
    this.#words = grown(this.#words, new Int32Array(room * NAME_WORDS));
  }

  protected refuse(reason: RefusalReason): number {
    this.refused = reason;
    return REFUSED;
  }

  /** Index of the first field of this name, -1 = absent. */
  indexOf(number: number): number {
    return this.first[number]! - 1;
  }

  has(number: number): boolean {
    return this.first[number]! > 0;
  }

  /** Absolute positions in `bytes`. */
  nameFrom(index: number): number {
    return this.base + this.spans[index * 4]!;
  }

  nameTo(index: number): number {
    return this.base + this.spans[index * 4 + 1]!;
  }

  valueFrom(index: number): number {
    return this.base + this.spans[index * 4 + 2]!;
  }

  valueTo(index: number): number {
    return this.base + this.spans[index * 4 + 3]!;
  }

  /** First value of a field by its lower-case name, as text. */
  text(name: string): string | undefined {
    const index = this.find(name);
    return index < 0 ? undefined : this.valueText(index);
  }

  /** Index of the first field of this lower-case name, -1 = absent. */
  find(name: string): number {
    return this.next(nameHash(name), name, 0);
  }

  /** The same from `start` on, by the name and its `nameHash`. */
  next(hash: number, name: string, start: number): number {
    for (let i = start; i < this.count; i++) {
      if (this.hashes[i] !== hash) continue;
      if (isText(this.bytes, this.nameFrom(i), this.nameTo(i), name)) return i;
    }
    return -1;
  }

  nameText(index: number): string {
    return textOf(this.bytes, this.nameFrom(index), this.nameTo(index));
  }

  valueText(index: number): string {
    return textOf(this.bytes, this.valueFrom(index), this.valueTo(index));
  }

  /** All values of a field that has a number, as one list (RFC 9110 5.3); undefined: absent. */
  joined(name: FieldName, separator: string): string | undefined {
    const number = fieldNumber(name);
    if (!this.has(number)) return undefined;
    const values = [];
    for (let i = this.indexOf(number); i < this.count; i++) {
      if (this.numbers[i] === number) values.push(this.valueText(i));
    }
    return values.join(separator);
  }

  /**
   * Walks the options of all Connection fields; fields that they name are marked hop-by-hop.
   * Gives what they say: 1 close, 2 keep-alive, 4 upgrade, added.
   */
  protected readConnection(): number {
    let said = 0;
    if (this.first[CONNECTION] === 0) return said;
    for (let i = this.first[CONNECTION]! - 1; i < this.count; i++) {
      if (this.numbers[i] !== CONNECTION) continue;
      let from = this.valueFrom(i);
      const end = this.valueTo(i);
      while (from < end) {
        let to = from;
        while (to < end && this.bytes[to] !== 44) to++;
        said |= this.#option(from, to);
        from = to + 1;
      }
    }
    return said;
  }

  #option(from: number, to: number): number {
    const { bytes } = this;
    while (from < to && isBlank(bytes[from]!)) from++;
    while (to > from && isBlank(bytes[to - 1]!)) to--;
    if (from === to) return 0;
    if (isText(bytes, from, to, "close")) return 1;
    if (isText(bytes, from, to, "keep-alive")) return 2;
    if (isText(bytes, from, to, "upgrade")) return 4;
    for (let i = 0; i < this.count; i++) {
      if (END_TO_END[this.numbers[i]!] === 1) continue;
      const name = this.nameFrom(i);
      if (this.nameTo(i) - name !== to - from) continue;
      if (sameText(bytes, from, name, to - from)) this.hop[i] = 1;
    }
    return 0;
  }
}

function isBlank(octet: number): boolean {
  return octet === 32 || octet === 9;
}

function grown<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
