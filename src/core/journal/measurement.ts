/** What was measured of a thing in a span of time, and how two such spans become one. */

export interface Measurement {
  /** `frontend web`, `pool web`, `instance VI_1`, `service shop`: kind and name. */
  readonly subject: string;
  /** `balancer`, `vrrp`, or `probe:NAME`: where was looked from. */
  readonly vantage: string;
  /** Unix ms, a multiple of `lengthMs`. */
  readonly fromMs: number;
  readonly lengthMs: number;
  /**
   * Requests that users got a proper answer to, errors of their own (4xx) included; of an instance:
   * looks in which this node held it.
   */
  readonly good: number;
  /** 5xx of whoever made it, answers cut by anybody but the client, lost with a dead process. */
  readonly bad: number;
  /** Good ones that were too slow, where somebody says what that is. */
  readonly slow?: number;
  /** The looks (a second long) in which the first and the last bad one were found. */
  readonly firstBadMs?: number;
  readonly lastBadMs?: number;
  /** How much of it nobody got a good answer and somebody a bad one, by looks a second long. */
  readonly darkMs?: number;
  /** Times of whole requests: [index, count] pairs in the buckets of `Histogram`, ascending. */
  readonly latency?: Latency;
}

export type Latency = readonly (readonly [index: number, count: number])[];

export const BUCKET_MS = 10_000;
export const MINUTE_MS = 60_000;

/** Both are of one subject and vantage; the place in time is that of `a`. */
export function merged(a: Measurement, b: Measurement): Measurement {
  const slow =
    a.slow === undefined && b.slow === undefined ? undefined : (a.slow ?? 0) + (b.slow ?? 0);
  const first = least(a.firstBadMs, b.firstBadMs);
  const last = most(a.lastBadMs, b.lastBadMs);
  const dark =
    a.darkMs === undefined && b.darkMs === undefined
      ? undefined
      : (a.darkMs ?? 0) + (b.darkMs ?? 0);
  const latency = addLatency(a.latency ?? [], b.latency ?? []);
  const { subject, vantage, fromMs, lengthMs } = a;
  return {
    subject,
    vantage,
    fromMs,
    lengthMs,
    good: a.good + b.good,
    bad: a.bad + b.bad,
    ...(slow === undefined ? {} : { slow }),
    ...(first === undefined ? {} : { firstBadMs: first }),
    ...(last === undefined ? {} : { lastBadMs: last }),
    ...(dark === undefined ? {} : { darkMs: dark }),
    ...(latency.length === 0 ? {} : { latency }),
  };
}

/** Spans of any length, sorted or not, as whole minutes. */
export function minutesOf(measurements: readonly Measurement[]): Measurement[] {
  const minutes = new Map<string, Measurement>();
  for (const one of measurements) {
    const fromMs = Math.floor(one.fromMs / MINUTE_MS) * MINUTE_MS;
    const lengthMs = Math.max(MINUTE_MS, one.lengthMs);
    const key = `${fromMs} ${one.vantage} ${one.subject}`;
    const before = minutes.get(key);
    const moved = { ...one, fromMs, lengthMs };
    minutes.set(key, before === undefined ? moved : merged(before, moved));
  }
  return [...minutes.values()];
}

/** At most that many pieces: a day of minutes. */
const MAX_PIECES = 1_440;

/**
 * What was counted while nobody looked, evenly over that time: the sums are right, the moments are not
 * known. Pieces of ten seconds, or of minutes where that would be too many.
 */
export function spread(measurement: Measurement, fromMs: number, toMs: number): Measurement[] {
  const lengthMs = toMs - fromMs > 60 * BUCKET_MS ? MINUTE_MS : BUCKET_MS;
  const first = Math.floor(fromMs / lengthMs);
  const count = Math.min(MAX_PIECES, Math.max(1, Math.ceil(toMs / lengthMs) - first));
  const { subject, vantage, good, bad } = measurement;
  const part = (whole: number, i: number): number =>
    Math.round((whole * (i + 1)) / count) - Math.round((whole * i) / count);
  return Array.from({ length: count }, (_, i) => {
    const at = { fromMs: (first + i) * lengthMs, lengthMs };
    return { subject, vantage, ...at, good: part(good, i), bad: part(bad, i) };
  }).filter((piece) => piece.good + piece.bad > 0);
}

export function addLatency(a: Latency, b: Latency): Latency {
  if (b.length === 0) return a;
  const counts = new Map(a.map(([index, count]) => [index, count]));
  for (const [index, count] of b) counts.set(index, (counts.get(index) ?? 0) + count);
  return [...counts].sort(([x], [y]) => x - y);
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function most(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
