/** Good and bad requests of the last days, by the minute: what burn rates are made of. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The longest window of an alert is three days. */
const KEPT_HOURS = 74;

export interface Counts {
  readonly good: number;
  readonly bad: number;
}

/** Counts by slots of one length; a newer slot takes the place of one that is too old. */
class Ring {
  readonly slotMs: number;
  readonly #good: Float64Array;
  readonly #bad: Float64Array;
  readonly #slot: Float64Array;

  constructor(slotMs: number, places: number) {
    this.slotMs = slotMs;
    this.#good = new Float64Array(places);
    this.#bad = new Float64Array(places);
    this.#slot = new Float64Array(places).fill(-1);
  }

  add(atMs: number, good: number, bad: number): void {
    const slot = Math.floor(atMs / this.slotMs);
    const place = slot % this.#slot.length;
    const held = this.#slot[place]!;
    if (held > slot) return;
    if (held < slot) {
      this.#slot[place] = slot;
      this.#good[place] = 0;
      this.#bad[place] = 0;
    }
    this.#good[place] = this.#good[place]! + good;
    this.#bad[place] = this.#bad[place]! + bad;
  }

  /** Slots from `first` up to and without `end`, added to `sum`. */
  collect(first: number, end: number, sum: { good: number; bad: number }): void {
    for (let slot = first; slot < end; slot++) {
      const place = slot % this.#slot.length;
      if (this.#slot[place] !== slot) continue;
      sum.good += this.#good[place]!;
      sum.bad += this.#bad[place]!;
    }
  }
}

export class Series {
  readonly #minutes: Ring = new Ring(MINUTE, KEPT_HOURS * 60);
  readonly #hours: Ring = new Ring(HOUR, KEPT_HOURS);

  /** Late measures count where they belong, as long as that is kept. */
  add(atMs: number, { good, bad }: Counts): void {
    this.#minutes.add(atMs, good, bad);
    this.#hours.add(atMs, good, bad);
  }

  /** Of the minutes that begin in (fromMs, toMs]. */
  sum(fromMs: number, toMs: number): Counts {
    const sum = { good: 0, bad: 0 };
    const first = Math.floor(fromMs / MINUTE) + 1;
    const end = Math.floor(toMs / MINUTE) + 1;
    const firstHour = Math.ceil(first / 60);
    const endHour = Math.floor(end / 60);
    if (endHour <= firstHour) {
      this.#minutes.collect(first, end, sum);
      return sum;
    }
    this.#minutes.collect(first, firstHour * 60, sum);
    this.#hours.collect(firstHour, endHour, sum);
    this.#minutes.collect(endHour * 60, end, sum);
    return sum;
  }
}
