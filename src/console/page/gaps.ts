/** Lines with gaps: a value between two gaps is no line, and must be seen all the same. */

/** Where values stand alone; null: nowhere. */
export function aloneIn(values: ArrayLike<number | null | undefined>): number[] | null {
  const isGap = (i: number): boolean => values[i] === null || values[i] === undefined;
  const alone: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (!isGap(i) && isGap(i - 1) && isGap(i + 1)) alone.push(i);
  }
  return alone.length === 0 ? null : alone;
}
