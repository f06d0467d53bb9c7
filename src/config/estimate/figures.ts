/** Figures of an estimate as people write them. */

import type { Spread } from "../../core/estimate/architecture.ts";
import { type Converted, parseDuration } from "../service/schema/kinds.ts";

function bad(reason: string, next: string): Converted<never> {
  return { ok: false, reason, next };
}

/** Milliseconds, more than 0. Years are of 365 days. */
export function readTime(text: string): Converted<number> {
  const years = /^(\d+(?:\.\d+)?)y$/u.exec(text)?.[1];
  const ms = years === undefined ? parseDuration(text) : Number(years) * 365 * 86_400_000;
  if (ms !== undefined && ms > 0) return { ok: true, value: ms };
  if (/^\d+(\.\d+)?$/u.test(text)) {
    return bad(`'${text}' has no unit`, `write ${text}h for hours, or s, m, d, y`);
  }
  return bad(`'${text}' is not a time`, "write 3s, 30m, 4h, 90d or 5y");
}

/** `99.9%` or `0.999`; 0 to 1. */
export function readShare(text: string): Converted<number> {
  const [, number, percent] = /^(\d+(?:\.\d+)?)\s*(%?)$/u.exec(text) ?? [];
  // 99.9 / 100 is not 0.999 to the last digit; people write few digits.
  const value = percent === "%" ? Number((Number(number) / 100).toPrecision(14)) : Number(number);
  if (number !== undefined && value >= 0 && value <= 1) return { ok: true, value };
  return bad(`'${text}' is not a share`, "write 99% or 0.99");
}

/** `exponential`, `fixed`, `weibull 1.5`, `lognormal 1`. */
export function readSpread(text: string): Converted<Spread> {
  const [kind = "", number, more] = text.split(/\s+/u);
  const value = Number(number);
  const isGood = more === undefined && value >= 0.2 && value <= 20;
  if ((kind === "exponential" || kind === "fixed") && number === undefined) {
    return { ok: true, value: { kind } };
  }
  if (kind === "weibull" && isGood) return { ok: true, value: { kind, shape: value } };
  if (kind === "lognormal" && isGood && value <= 3) {
    return { ok: true, value: { kind, sigma: value } };
  }
  const next = "write exponential, fixed, weibull SHAPE (0.2-20) or lognormal SIGMA (0.2-3)";
  return bad(`'${text}' is no distribution`, next);
}

export function countUpTo(most: number): (text: string) => Converted<number> {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/u.test(text) && value >= 1 && value <= most) return { ok: true, value };
    return bad(`'${text}' is no count`, `write a whole number from 1 to ${most}`);
  };
}

export function readText(text: string): Converted<string> {
  if (text !== "" && text.length <= 100) return { ok: true, value: text };
  return bad("a name is missing", "write one of up to 100 characters");
}
