/** Tables over octets, so that the hot path asks an array instead of a chain of comparisons. */

function tableOf(test: (octet: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => (test(octet) ? 1 : 0));
}

function among(text: string): (octet: number) => boolean {
  const octets = new Set(Array.from(text, (c) => c.charCodeAt(0)));
  return (octet) => octets.has(octet);
}

const isDigit = (octet: number): boolean => octet >= 48 && octet <= 57;
const isLetter = (octet: number): boolean =>
  (octet >= 65 && octet <= 90) || (octet >= 97 && octet <= 122);
const isMark = among("!#$%&'*+-.^_`|~");
const isHostMark = among(".-_~!$&'()*+,;=%[]:");

/** tchar, RFC 9110 5.6.2. */
export const TOKEN: Uint8Array = tableOf((o) => isDigit(o) || isLetter(o) || isMark(o));
/** field-vchar, SP and HTAB, RFC 9110 5.5; octets above 127 are opaque data. */
export const FIELD_VALUE: Uint8Array = tableOf((o) => o === 9 || (o >= 32 && o !== 127));
/** Octets of a request target: visible ASCII, and what browsers of old send unencoded. */
export const TARGET: Uint8Array = tableOf((o) => o > 32 && o !== 127);
/** Octets of `uri-host [":" port]`, RFC 3986 3.2.2. */
export const HOST: Uint8Array = tableOf((o) => isDigit(o) || isLetter(o) || isHostMark(o));
/** Of a tchar its lower case, of every other octet 0: one look tells both. */
export const NAME: Uint8Array = Uint8Array.from({ length: 256 }, (_, o) =>
  TOKEN[o] === 1 ? (o >= 65 && o <= 90 ? o + 32 : o) : 0,
);
/** ASCII lower case; everything else is itself. */
export const LOWER: Uint8Array = Uint8Array.from({ length: 256 }, (_, o) =>
  o >= 65 && o <= 90 ? o + 32 : o,
);
/** Value of a hexadecimal digit; 255 = none. */
export const HEX: Uint8Array = Uint8Array.from({ length: 256 }, (_, o) => {
  if (isDigit(o)) return o - 48;
  const lower = LOWER[o]!;
  return lower >= 97 && lower <= 102 ? lower - 87 : 255;
});

/** Octets as text, one character each (Latin-1): for logs, rules and messages. */
export function textOf(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** Whether the octets are `lower`, which is lower case, whatever the case of the octets. */
export function isText(bytes: Uint8Array, from: number, to: number, lower: string): boolean {
  if (to - from !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    if (LOWER[bytes[from + i]!] !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** As `isText` with the octets of a lower-case text: cheaper, where that was made before. */
export function isName(bytes: Uint8Array, from: number, to: number, lower: Uint8Array): boolean {
  const { length } = lower;
  if (to - from !== length) return false;
  for (let i = 0; i < length; i++) if (LOWER[bytes[from + i]!] !== lower[i]) return false;
  return true;
}

/**
 * The first octet in `from` to `to` that may not stand in a field's value, or `to`. Four are looked
 * at together; `view` is of the same octets.
 */
export function endOfValue(bytes: Uint8Array, view: DataView, from: number, to: number): number {
  let at = from;
  for (const last = to - 4; at <= last; at += 4) {
    const four = view.getInt32(at, true);
    const del = four ^ 0x7f7f7f7f;
    // Bit 7 of an octet is set where it was below 32 (which HTAB is, too), and where it was 127.
    const below = (four - 0x20202020) & ~four;
    const equal = (del - 0x01010101) & ~del;
    if (((below | equal) & 0x80808080) !== 0) break;
  }
  while (at < to && FIELD_VALUE[bytes[at]!] === 1) at++;
  return at;
}

/** Whether `length` octets at two places are the same text, whatever their case. */
export function sameText(bytes: Uint8Array, at: number, other: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    if (LOWER[bytes[at + i]!] !== LOWER[bytes[other + i]!]) return false;
  }
  return true;
}
