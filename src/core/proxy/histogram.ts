/** Latencies in fixed logarithmic buckets: to record one is an addition, to merge two as well. */

/** Four buckets an octave, from 1 us to 71 min: a quantile is exact to 25 percent at worst. */
const STEPS = 4;
const OCTAVES = 32;
export const HISTOGRAM_BUCKETS: number = STEPS * OCTAVES;

export class Histogram {
  readonly counts: Float64Array = new Float64Array(HISTOGRAM_BUCKETS);
  sumMs = 0;
  total = 0;

  record(ms: number): void {
    this.add(histogramBucket(ms), ms);
  }

  /** The same, with the bucket of `ms`: of a time that several histograms are told. */
  add(index: number, ms: number): void {
    this.counts[index] = (this.counts[index] as number) + 1;
    this.sumMs += ms;
    this.total++;
  }

  /** Milliseconds below which `share` (0-1) of the records are; upper end of the bucket; 0 if none. */
  quantile(share: number): number {
    if (this.total === 0) return 0;
    let left = Math.max(1, Math.ceil(this.total * share));
    for (let i = 0; i < HISTOGRAM_BUCKETS; i++) {
      left -= this.counts[i] as number;
      if (left <= 0) return bucketEndMs(i);
    }
    return bucketEndMs(HISTOGRAM_BUCKETS - 1);
  }
}

/** Exclusive upper end of a bucket, in milliseconds. */
export function bucketEndMs(index: number): number {
  const octave = Math.floor(index / STEPS);
  return (2 ** octave * (1 + ((index % STEPS) + 1) / STEPS)) / 1000;
}

/** Where a time is counted. */
export function histogramBucket(ms: number): number {
  const us = Math.min(Math.max(Math.round(ms * 1000), 1), 0xffffffff);
  const octave = 31 - Math.clz32(us);
  // Two bits below the leading one; the first two octaves have fewer.
  const step = octave >= 2 ? (us >>> (octave - 2)) & 3 : octave === 1 ? (us & 1) * 2 : 0;
  return octave * STEPS + step;
}
