/** Texts with places for values, in the languages of the catalogs. */

import { chinese } from "./texts-zh.ts";
import { chineseKinds } from "./kinds-zh.ts";
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
