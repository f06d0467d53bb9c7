/** How much of a journal is kept, and which of its oldest records have had their time. */

export interface JournalBounds {
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  readonly maxRows: number;
}

export const DEFAULT_BOUNDS: JournalBounds = {
  maxAgeMs: 400 * 86_400_000,
  maxBytes: 2_000_000_000,
  maxRows: 20_000_000,
};

/** No clock that is right shows less: 2020-01-01. */
const SANE_FROM_MS = 1_577_836_800_000;
const DAY_MS = 86_400_000;

export interface AgedRecord {
  readonly seq: number;
  readonly wallMs: number;
  readonly monoMs: number;
  readonly boot: string;
}

export interface Present {
  readonly wallMs: number;
  readonly monoMs: number;
  readonly boot: string;
}

/**
 * The number up to which `oldest` (ascending, from the journal's beginning) is older than
 * `maxAgeMs`; undefined: nothing is. A clock that stepped must not cost young records: what this
 * life of the machine wrote is judged by the monotonic clock, and a time that cannot be
 * believed goes only together with a believable old one behind it.
 */
export function agedUpTo(
  oldest: Iterable<AgedRecord>,
  now: Present,
  maxAgeMs: number,
): number | undefined {
  if (now.wallMs < SANE_FROM_MS) return undefined;
  let upTo: number | undefined;
  for (const { seq, wallMs, monoMs, boot } of oldest) {
    if (boot === now.boot && now.monoMs - monoMs <= maxAgeMs) break;
    const isBelievable = wallMs >= SANE_FROM_MS && wallMs <= now.wallMs + DAY_MS;
    if (!isBelievable) continue;
    if (wallMs >= now.wallMs - maxAgeMs) break;
    upTo = seq;
  }
  return upTo;
}
