/** Unix ms as UTC text that sorts, without a clock. */

import { civilDate, daysSinceEpoch } from "../../lib/civil-date.ts";

/** `20261121T132134Z`: sorts by time, fits into a file name. */
export function compactTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const { year, month, day } = civilDate(days);
  const rest = seconds - days * 86_400;
  const clock = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60].map(two).join("");
  return `${year}${two(month)}${two(day)}T${clock}Z`;
}

/** `2026-11-21 13:21:34 UTC`, for people. */
export function utcText(ms: number): string {
  return compactTime(ms).replace(
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u,
    "$1-$2-$3 $4:$5:$6 UTC",
  );
}

/** Unix ms of `compactTime`'s text; undefined: it is none. */
export function parseCompactTime(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/u.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const days = daysSinceEpoch({ year, month, day });
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
