/** Availability in words that people use. */

/** Of 365 days, as in the tables that everybody knows. */
export const MINUTES_PER_YEAR: number = 365 * 24 * 60;
export const MS_PER_YEAR: number = MINUTES_PER_YEAR * 60_000;

/** 0.001 -> 3: the leading nines, with a fraction. Infinity: never down. */
export function ninesOf(unavailability: number): number {
  return unavailability <= 0 ? Infinity : -Math.log10(unavailability);
}

export function minutesPerYear(unavailability: number): number {
  return unavailability * MINUTES_PER_YEAR;
}

/** The next whole number of nines above what there is, as unavailability: 2e-4 -> 1e-4. */
export function nextNine(unavailability: number): number {
  // 1e-4 exactly has its four nines and wants the fifth; rounding must not hide that.
  return 10 ** -(Math.floor(ninesOf(unavailability) + 1e-9) + 1);
}

/** `99.9987 %`: one digit more than the nines take. */
export function availabilityText(unavailability: number): string {
  if (unavailability <= 0) return "100 %";
  const digits = Math.max(2, Math.min(12, Math.ceil(ninesOf(unavailability))));
  return `${(100 - unavailability * 100).toFixed(digits)} %`;
}
