/**
 * Turns single results into a verdict that does not flap: `rise` successes in a row make it
 * good, `fall` failures in a row make it bad.
 *
 * As keepalived does it, the very first result decides at once, because a node that has just
 * started should not wait for `fall` intervals to learn where it stands. Checks whose first
 * answer may be lost for harmless reasons (an echo waiting for ARP) turn that off for failures.
 */
export interface RiseFallSettings {
  /** Successes in a row that make a bad verdict good, 1 or more. */
  readonly rise: number;
  /** Failures in a row that make a good verdict bad, 1 or more. */
  readonly fall: number;
  /** Starts as bad and needs `rise` successes (`init_fail`). */
  readonly startFailed: boolean;
  /** The verdict of an earlier process or of earlier settings: it holds until `rise` or `fall` say otherwise. */
  readonly known?: boolean | undefined;
  /** The first failure after the start needs no company. Default true. */
  readonly firstFailureDecides?: boolean;
}

export class RiseFall {
  readonly #settings: RiseFallSettings;
  #verdict: boolean | undefined;
  #lastOk = false;
  #row = 0;

  constructor(settings: RiseFallSettings) {
    this.#settings = settings;
    this.#verdict = settings.known ?? (settings.startFailed ? false : undefined);
  }

  /** Undefined = nothing known yet. */
  get verdict(): boolean | undefined {
    return this.#verdict;
  }

  /** How many results in a row agreed with the latest one. */
  get row(): number {
    return this.#row;
  }

  /** Takes one result; true when the verdict changed. */
  observe(ok: boolean): boolean {
    this.#row = ok === this.#lastOk ? this.#row + 1 : 1;
    this.#lastOk = ok;
    if (ok === this.#verdict || this.#row < this.#needed(ok)) return false;
    this.#verdict = ok;
    return true;
  }

  /** `3 of 3`, for the sentence that tells the verdict. */
  progress(): string {
    const of = this.#lastOk ? this.#settings.rise : this.#settings.fall;
    return `${Math.min(this.#row, of)} of ${of}`;
  }

  #needed(ok: boolean): number {
    const { rise, fall, firstFailureDecides } = this.#settings;
    if (this.#verdict === undefined && (ok || firstFailureDecides !== false)) return 1;
    return ok ? rise : fall;
  }
}
