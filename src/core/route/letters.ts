/**
 * Texts of a request hold a letter for each octet, those of the configuration are Unicode. Here one
 * becomes the other: letters travel as UTF-8, in targets as its percent codes.
 */

import { latin1Text, utf8Bytes } from "../../lib/text-bytes.ts";

/** Octets of one letter, by RFC 3629 4. */
const LETTER = new RegExp(
  [
    "%[0-7][0-9a-f]",
    "%(?:c[2-9a-f]|d[0-9a-f])%[89ab][0-9a-f]",
    "%(?:e0%[ab]|e[1-9a-cef]%[89ab]|ed%[89])[0-9a-f]%[89ab][0-9a-f]",
    "%(?:f0%[9ab]|f[1-3]%[89ab]|f4%8)[0-9a-f](?:%[89ab][0-9a-f]){2}",
  ].join("|"),
  "gi",
);

/** Asked before it is decoded: a head has room for thousands of exceptions. */
export function isUtf8(codes: string): boolean {
  return !codes.replace(LETTER, "").includes("%");
}

export function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

/**
 * Unicode only where it makes a difference: without that flag V8 can give up going back and forth
 * (`limitBacktracking`), and texts come from strangers.
 */
export function expression(pattern: string): RegExp {
  return new RegExp(pattern, isAscii(pattern) && !/\\[pu]\{/i.test(pattern) ? "" : "u");
}

/** As a head holds it: a letter for each octet of its UTF-8. */
export function octetText(text: string): string {
  if (isAscii(text)) return text;
  const bytes = utf8Bytes(text);
  return latin1Text(bytes, 0, bytes.length);
}

/** With percent codes for all that cannot stand in a target. */
export function coded(text: string): string {
  return text.replace(/[^\x21-\x7e]+/g, (run) => Array.from(utf8Bytes(run), codeOf).join(""));
}

/** Octets beyond ASCII as percent codes, of which a path may hold either. */
export function codedOctets(text: string): string {
  return text.replace(/[\x80-\xff]/g, (letter) => codeOf(letter.charCodeAt(0)));
}

/** The reverse: octets and percent codes that are letters beyond ASCII are read as these. */
export function lettersOf(text: string): string {
  return codedOctets(text).replace(/(?:%[89a-f][0-9a-f])+/gi, (codes) =>
    isUtf8(codes) ? decodeURIComponent(codes) : codes,
  );
}

function codeOf(octet: number): string {
  return `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
}
