/** Months and times of a time zone. */

export interface Month {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
}

/** `2026-11`; undefined: that is none. */
export function parseMonth(text: string): Month | undefined {
  const [, year, month] = /^(\d{4})-(\d\d)$/u.exec(text) ?? [];
  if (year === undefined || Number(month) < 1 || Number(month) > 12) return undefined;
  return { year: Number(year), month: Number(month) };
}

export function monthText({ year, month }: Month): string {
  return `${year}-${String(month).padStart(2, "0")}`;
}

export function monthOf(ms: number, timezone: string): Month {
  const { year, month } = partsOf(ms, timezone);
  return { year, month };
}

export function monthBefore({ year, month }: Month): Month {
  return month === 1 ? { year: year - 1, month: 12 } : { year, month: month - 1 };
}

function monthAfter({ year, month }: Month): Month {
  return month === 12 ? { year: year + 1, month: 1 } : { year, month: month + 1 };
}

/** From its first midnight there to that of the next one. */
export function monthSpan(
  month: Month,
  timezone: string,
): { readonly fromMs: number; readonly toMs: number } {
  return { fromMs: beginOf(month, timezone), toMs: beginOf(monthAfter(month), timezone) };
}

function beginOf({ year, month }: Month, timezone: string): number {
  const utc = Date.UTC(year, month - 1);
  // The offset may change on that very day: the second look takes the one that holds there.
  const first = utc - offsetMs(utc, timezone);
  return utc - offsetMs(first, timezone);
}

function offsetMs(ms: number, timezone: string): number {
  const { year, month, day, hour, minute, second } = partsOf(ms, timezone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
}

interface Parts extends Month {
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Making one costs more than using it a thousand times. */
const formats = new Map<string, Intl.DateTimeFormat>();

function partsOf(ms: number, timezone: string): Parts {
  let format = formats.get(timezone);
  if (format === undefined) {
    const numeric = { year: "numeric", month: "numeric", day: "numeric" } as const;
    const clock = { hour: "numeric", minute: "numeric", second: "numeric" } as const;
    const options = { ...numeric, ...clock, hourCycle: "h23", timeZone: timezone } as const;
    format = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", options);
    formats.set(timezone, format);
  }
  const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  return {
    year: part("year"),
    month: part("month"),
    day: part("day"),
    hour: part("hour"),
    minute: part("minute"),
    second: part("second"),
  };
}

/** `2026-11-21 14:03:07`, there: the same in every language. */
export function timeText(ms: number, timezone: string): string {
  const { year, month, day, hour, minute, second } = partsOf(ms, timezone);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
}
