/** Texts with places for values, in the languages of the catalogs. */

import type { Sentence } from "../api.ts";
import { reasonInChinese } from "../reasons-zh.ts";
import { chinese } from "./texts-zh.ts";
import { chineseKinds, chineseSentences } from "./sentences-zh.ts";
import { english } from "./texts-en.ts";

export type Language = "en" | "zh";
export type TextKey = keyof typeof english;
export type TextArgs = Readonly<Record<string, string | number>>;

const CATALOGS: Readonly<Record<Language, Readonly<Record<TextKey, string>>>> = {
  en: english,
  zh: chinese,
};

export function textIn(language: Language, key: TextKey, args: TextArgs = {}): string {
  return filled(CATALOGS[language][key], args);
}

/** The server's sentence: its English is the original; others where the catalog knows its code. */
export function sentenceIn(language: Language, { code, args, text }: Sentence): string {
  const template = language === "zh" ? chineseSentences[code] : undefined;
  if (template === undefined) return text;
  const wanted = [...template.matchAll(/\{(\w+)\}/gu)].map(([, name]) => name!);
  if (!wanted.every((name) => Object.hasOwn(args, name))) return text;
  const values = Object.entries(args).map(([name, value]) => [name, valueInChinese(name, value)]);
  return filled(template, Object.fromEntries(values) as TextArgs);
}

/** Sentences have reasons in them. */
function valueInChinese(name: string, value: string | number): string | number {
  const isReason = (name === "reason" || name === "why") && typeof value === "string";
  return isReason ? reasonInChinese(value) : value;
}

/** The sentence of whoever decided; in other languages where it is a usual one. */
export function reasonIn(language: Language, reason: string): string {
  return language === "zh" ? reasonInChinese(reason) : reason;
}

/** `{name}` is a value; `{count|server|servers}` the first word for 1, the second otherwise. */
export function filled(template: string, args: TextArgs): string {
  return template.replaceAll(
    /\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/gu,
    (all, name: string, one, many) => {
      const value = args[name];
      if (value === undefined) return all;
      if (one === undefined) return String(value);
      return String(value === 1 ? one : many);
    },
  );
}

/** `state-changed` as words. */
export function kindIn(language: Language, kind: string): string {
  const words = kind.replaceAll("-", " ");
  return language === "zh" ? (chineseKinds[kind] ?? words) : words;
}
