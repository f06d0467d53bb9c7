/** Numbers, spans and times as people of a language write them; the browser knows how. */

import type { Language } from "./texts.ts";

const LOCALES: Readonly<Record<Language, string>> = { en: "en-GB", zh: "zh-CN" };
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Making one takes longer than drawing a panel. */
const made = new Map<string, Intl.NumberFormat>();
const madeForTimes = new Map<string, Intl.DateTimeFormat>();

function timeFormat(
  language: Language,
  name: string,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const key = `${language} ${name}`;
  let format = madeForTimes.get(key);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(LOCALES[language], options);
    madeForTimes.set(key, format);
  }
  return format;
}

function numberFormat(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${language} ${JSON.stringify(options)}`;
  let format = made.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(LOCALES[language], options);
    made.set(key, format);
  }
  return format;
}

export function formatNumber(language: Language, value: number): string {
  return numberFormat(language, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}

/** `1.2K`, for places without room. */
export function formatShort(language: Language, value: number): string {
  if (value < 1000) return formatNumber(language, value);
  return numberFormat(language, { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

/** 0.99953 -> `99.953 %`; never rounded up to 100. */
export function formatShare(language: Language, share: number): string {
  if (share >= 1) return numberFormat(language, { style: "percent" }).format(1);
  const digits = Math.min(5, Math.max(1, Math.ceil(-Math.log10(1 - share)) - 1));
  return numberFormat(language, {
    style: "percent",
    maximumFractionDigits: digits,
    roundingMode: "floor",
  }).format(share);
}

const UNITS: Readonly<
  Record<Language, Readonly<Record<"day" | "hour" | "minute" | "second" | "ms", string>>>
> = {
  en: { day: "d", hour: "h", minute: "min", second: "s", ms: "ms" },
  zh: { day: "天", hour: "小时", minute: "分", second: "秒", ms: "毫秒" },
};

/** The two largest units: `2 d 3 h`, `12 min 14 s`, `380 ms`. */
export function formatSpan(language: Language, ms: number): string {
  const words = UNITS[language];
  const number = numberFormat(language, { maximumFractionDigits: 1 });
  const unit = (value: number, name: keyof typeof words): string =>
    `${number.format(value)} ${words[name]}`;
  const span = Math.abs(ms);
  const sign = ms < 0 ? "−" : "";
  if (span < SECOND) return sign + unit(Math.round(span), "ms");
  if (span < 10 * SECOND) return sign + unit(Math.round(span / 100) / 10, "second");
  const steps = [
    ["day", DAY],
    ["hour", HOUR],
    ["minute", MINUTE],
    ["second", SECOND],
  ] as const;
  const first = steps.findIndex(([, size]) => span >= size);
  const [name, size] = steps[first]!;
  const next = steps[first + 1];
  const whole = Math.floor(span / size);
  const rest = next === undefined ? 0 : Math.floor((span % size) / next[1]);
  const head = unit(whole, name);
  return sign + (rest === 0 || next === undefined ? head : `${head} ${unit(rest, next[0])}`);
}

/** Clock time where the browser stands, with the day where that is another one. */
export function formatMoment(language: Language, atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  const isToday = at.toDateString() === new Date(nowMs).toDateString();
  return timeFormat(language, isToday ? "time" : "day and time", {
    ...(isToday ? {} : { month: "short", day: "numeric" }),
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(at);
}

export function formatFull(language: Language, atMs: number): string {
  return timeFormat(language, "full", {
    dateStyle: "medium",
    timeStyle: "long",
    hourCycle: "h23",
  }).format(new Date(atMs));
}

/** `2026-08-24` plus so many days, in words. */
export function formatDay(language: Language, firstDay: string, plus: number): string {
  const at = new Date(Date.parse(`${firstDay}T00:00:00Z`) + plus * DAY);
  return timeFormat(language, "full", {
    dateStyle: "medium",
    timeZone: "UTC",
  }).format(at);
}
