/** Half-open spans of time [from, to) and the algebra on sorted, disjoint lists of them. */

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Sorted, without overlaps and without empty ones; spans that touch become one. */
export function union(spans: readonly Span[]): Span[] {
  const sorted = spans.filter(({ fromMs, toMs }) => toMs > fromMs);
  sorted.sort((a, b) => a.fromMs - b.fromMs);
  const result: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of sorted) {
    const last = result.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else result.push({ fromMs, toMs });
  }
  return result;
}

/** What is in both. `a` and `b` as `union` gives them. */
export function intersect(a: readonly Span[], b: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [one, other] = [a[i]!, b[j]!];
    const fromMs = Math.max(one.fromMs, other.fromMs);
    const toMs = Math.min(one.toMs, other.toMs);
    if (toMs > fromMs) result.push({ fromMs, toMs });
    if (one.toMs < other.toMs) i++;
    else j++;
  }
  return result;
}

/** What is in `a` and not in `b`. */
export function subtract(a: readonly Span[], b: readonly Span[]): Span[] {
  const result: Span[] = [];
  let j = 0;
  for (const { fromMs, toMs } of a) {
    let start = fromMs;
    while (j < b.length && b[j]!.toMs <= start) j++;
    for (let k = j; k < b.length && b[k]!.fromMs < toMs; k++) {
      const hole = b[k]!;
      if (hole.fromMs > start) result.push({ fromMs: start, toMs: hole.fromMs });
      start = Math.max(start, hole.toMs);
    }
    if (start < toMs) result.push({ fromMs: start, toMs });
  }
  return result;
}

export function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

export function covers(spans: readonly Span[], atMs: number): boolean {
  return spans.some(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
}
