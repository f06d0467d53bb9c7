/**
 * Answers in the reader's language. All that the console says is made, kept and compared in English; for whoever asks for
 * Chinese (`Accept-Language`, RFC 9110 12.5.4) sentences are told in Chinese while they are written as JSON.
 */

import type { IncomingHttpHeaders } from "node:http";
import type { Sentence } from "./api.ts";
import { reasonInChinese } from "./reasons-zh.ts";
import { sentenceInChinese } from "./sentences-zh.ts";

/** A replacer of `JSON.stringify`; undefined: in English. */
export type Wording = ((key: string, value: unknown) => unknown) | undefined;

/** Fields that hold a sentence, or a list of them. */
const SENTENCES: ReadonlySet<string> = new Set([
  "cause",
  "detail",
  "faults",
  "radius",
  "reason",
  "refused",
  "title",
  "why",
]);

/** The first of our languages in the visitor's order; those that it refuses (`q=0`) do not count. */
export function wordingOf({ "accept-language": wanted = "" }: IncomingHttpHeaders): Wording {
  const asked = wanted.split(",").map((one, i) => {
    const [, tag = "", weight = "1"] = /^\s*([a-z]+)[^;]*(?:;\s*q=([\d.]+))?/iu.exec(one) ?? [];
    return { tag: tag.toLowerCase(), weight: Number(weight), i };
  });
  const [best] = asked
    .filter(({ tag, weight }) => (tag === "zh" || tag === "en") && weight > 0)
    .toSorted((a, b) => b.weight - a.weight || a.i - b.i);
  return best?.tag === "zh" ? inChinese : undefined;
}

function inChinese(key: string, value: unknown): unknown {
  if (SENTENCES.has(key)) {
    if (typeof value === "string") return reasonInChinese(value);
    if (Array.isArray(value)) {
      return value.map((one: unknown) => (typeof one === "string" ? reasonInChinese(one) : one));
    }
  }
  return isSentence(value) ? { ...value, text: sentenceInChinese(value) } : value;
}

function isSentence(value: unknown): value is Sentence {
  // The description of the API has objects with such properties that are none.
  const { code, args } = (value ?? {}) as Partial<Record<keyof Sentence, unknown>>;
  return typeof code === "string" && typeof args === "object";
}
