/** What a person chose for this browser: language and colours. A browser that keeps nothing is fine. */

import { effect, signal, type Signal } from "@preact/signals";
import { kindIn, textIn, type Language, type TextArgs, type TextKey } from "./texts.ts";

export type Theme = "auto" | "light" | "dark";

const THEMES: readonly Theme[] = ["auto", "light", "dark"];
const LANGUAGES: readonly Language[] = ["en", "zh"];

export const language: Signal<Language> = signal(
  kept("nines.language", LANGUAGES) ??
    (globalThis.navigator?.language?.startsWith("zh") ? "zh" : "en"),
);
export const theme: Signal<Theme> = signal(kept("nines.theme", THEMES) ?? "auto");

export function t(key: TextKey, args?: TextArgs): string {
  return textIn(language.value, key, args);
}

export function sayKind(kind: string): string {
  return kindIn(language.value, kind);
}

/** From now on the document follows what is chosen. */
export function followPreferences(root: HTMLElement): void {
  effect(() => {
    root.lang = language.value === "zh" ? "zh-CN" : "en";
    keep("nines.language", language.value);
  });
  effect(() => {
    root.dataset["theme"] = theme.value;
    keep("nines.theme", theme.value);
  });
}

export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!;
}

export function nextLanguage(): void {
  language.value = language.value === "en" ? "zh" : "en";
}

function kept<T extends string>(key: string, allowed: readonly T[]): T | undefined {
  try {
    const value = globalThis.localStorage?.getItem(key);
    return allowed.find((one) => one === value);
  } catch {
    return undefined;
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}
