/** Draws of times whose mean is given. */

import type { Prng } from "../../lib/prng.ts";
import type { Spread } from "./architecture.ts";

/** Larger than 0, finite; the mean of many is `meanMs`. */
export function drawTime(spread: Spread, meanMs: number, prng: Prng): number {
  switch (spread.kind) {
    case "fixed":
      return meanMs;
    case "exponential":
      return meanMs * exponential(prng);
    case "weibull":
      return (meanMs / gamma(1 + 1 / spread.shape)) * exponential(prng) ** (1 / spread.shape);
    case "lognormal": {
      const { sigma } = spread;
      return meanMs * Math.exp(sigma * normal(prng) - (sigma * sigma) / 2);
    }
  }
}

/** Of mean 1. The half keeps the logarithm finite. */
function exponential(prng: Prng): number {
  return -Math.log((prng.uint32() + 0.5) / 0x1_0000_0000);
}

/** Box and Muller (1958), one of the two. */
function normal(prng: Prng): number {
  return Math.sqrt(2 * exponential(prng)) * Math.cos(2 * Math.PI * prng.fraction());
}

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
];

/** For x >= 0.5, to 14 digits (Lanczos 1964, g = 7). */
export function gamma(x: number): number {
  let sum = 0.9999999999998099;
  for (const [i, c] of LANCZOS.entries()) sum += c / (x + i);
  const t = x + LANCZOS.length - 1.5;
  return Math.sqrt(2 * Math.PI) * t ** (x - 0.5) * Math.exp(-t) * sum;
}
