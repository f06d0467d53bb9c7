/** What all workers know of ejections: one that one of them decides on holds for all, and outlives it. */

export interface SharedEjections {
  /** Another one since it was last asked: look at all of them. */
  readonly version: number;
  /** Undefined: there is no room for another server, each worker decides for itself. */
  of(pool: string, server: string): SharedEjection | undefined;
}

export interface Ejection {
  /** On the clock of all, ms. */
  readonly untilMs: number;
  /** The how manieth in a row. */
  readonly level: number;
  readonly reason: string;
}

/** Of one server. */
export interface SharedEjection {
  /** Another request and error: how many errors in a row, whoever saw them. */
  failed(): number;
  /** Another request, and the row is over. */
  succeeded(): void;
  /** The row is over. */
  forgive(): void;
  /** Of all workers since nobody knows when; both begin anew after 2^32. */
  readonly requests: number;
  readonly errors: number;
  /** 0: it is not ejected. */
  readonly untilMs: number;
  readonly level: number;
  readonly reason: string;
  /**
   * Nobody else may eject it now. False: somebody else does or did. Of two who claim different servers and
   * then ask `isClaimed` at once, one sees the other. Ends with `publish` or `withdraw`.
   */
  claim(now: number): boolean;
  /** It is ejected, or is about to be. */
  isClaimed(now: number): boolean;
  publish(ejection: Ejection): void;
  withdraw(): void;
  /** Ends the ejection that lasts until then. True for one worker only, which tells of it. */
  end(untilMs: number): boolean;
}
