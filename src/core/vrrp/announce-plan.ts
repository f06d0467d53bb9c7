/**
 * When a master tells its neighbours again who has the addresses: once more after
 * `garp_master_delay`, every `garp_master_refresh`, after a lower-priority advert, and - because
 * neighbours that followed the loser of a split hear nothing of its end - once a second for a
 * while after two masters were heard.
 */

import type { AnnounceSettings } from "./settings.ts";

const AFTER_SPLIT_EVERY_MS = 1000;
/** Answers to somebody else's claim: two masters that answer each other would flood the segment. */
const FIRST_CLAIM_PAUSE_MS = 1000;
const LONGEST_CLAIM_PAUSE_MS = 60_000;

/**
 * How many rounds over all addresses to add where frames still wait for their pauses: a burst that is under way
 * says most of it already. At most `repeat` rounds wait, and the one that was begun.
 */
export function roundsToAdd(waiting: number, perRound: number, repeat: number): number {
  if (perRound === 0) return 0;
  return Math.max(0, Math.ceil((repeat * perRound - waiting) / perRound));
}

export class AnnouncePlan {
  #settings: AnnounceSettings;
  #delayedAt = Infinity;
  #refreshAt = Infinity;
  #lowerAt = Infinity;
  #splitAt = Infinity;
  #splitUntil = -Infinity;
  #claimAnswerableAt = -Infinity;
  #claimPauseMs = FIRST_CLAIM_PAUSE_MS;
  #claimAt = Infinity;
  /** Infinity: not master. */
  #startedAt = Infinity;

  constructor(settings: AnnounceSettings) {
    this.#settings = settings;
  }

  /** A reload: what is planned stays planned, what is periodic takes its new period. */
  replaceSettings(settings: AnnounceSettings): void {
    const shift = settings.refreshMs - this.#settings.refreshMs;
    if (settings.refreshMs === 0) this.#refreshAt = Infinity;
    else if (this.#refreshAt !== Infinity) this.#refreshAt += shift;
    else this.#refreshAt = this.#startedAt + settings.refreshMs;
    this.#settings = settings;
  }

  /** How far apart those are who ask a claimant again. */
  get claimPauseMs(): number {
    return this.#claimPauseMs;
  }

  get deadline(): number {
    const planned = Math.min(this.#delayedAt, this.#refreshAt, this.#lowerAt);
    return Math.min(planned, this.#splitAt, this.#claimAt);
  }

  /** The instance became master; returns how often to announce at once. */
  start(now: number): number {
    this.stop();
    const { delayMs, refreshMs } = this.#settings;
    this.#startedAt = now;
    if (delayMs > 0) this.#delayedAt = now + delayMs;
    if (refreshMs > 0) this.#refreshAt = now + refreshMs;
    return this.#settings.repeat;
  }

  /** A running master got addresses; returns how often to announce at once. */
  added(now: number): number {
    const { delayMs, repeat } = this.#settings;
    if (delayMs > 0) this.#delayedAt = now + delayMs;
    return repeat;
  }

  stop(): void {
    this.#startedAt = Infinity;
    this.#delayedAt = Infinity;
    this.#refreshAt = Infinity;
    this.#lowerAt = Infinity;
    this.#splitAt = Infinity;
    this.#claimAt = Infinity;
  }

  /** A lower-priority master was heard; returns how often to announce at once. */
  contended(now: number): number {
    const { afterSplitMs, lowerPriorityDelayMs, lowerPriorityRepeat } = this.#settings;
    if (afterSplitMs > 0) {
      this.#splitUntil = now + afterSplitMs;
      if (this.#splitAt === Infinity) this.#splitAt = now + AFTER_SPLIT_EVERY_MS;
    }
    if (lowerPriorityDelayMs > 0) this.#lowerAt = now + lowerPriorityDelayMs;
    return lowerPriorityRepeat;
  }

  /**
   * Another machine claimed our address; returns how often to announce at once. A claim that
   * comes too soon after the last answer is answered when the pause is over.
   */
  claimed(now: number): number {
    if (now < this.#claimAnswerableAt) {
      this.#claimAt = this.#claimAnswerableAt;
      return 0;
    }
    this.#claimAt = Infinity;
    const quiet = now - this.#claimAnswerableAt > LONGEST_CLAIM_PAUSE_MS;
    this.#claimPauseMs = quiet
      ? FIRST_CLAIM_PAUSE_MS
      : Math.min(2 * this.#claimPauseMs, LONGEST_CLAIM_PAUSE_MS);
    this.#claimAnswerableAt = now + this.#claimPauseMs;
    return 1;
  }

  /** How often to announce now that a deadline has come; 0 = not yet. */
  due(now: number): number {
    const { repeat, refreshMs, refreshRepeat, lowerPriorityRepeat } = this.#settings;
    let times = 0;
    if (now >= this.#delayedAt) {
      this.#delayedAt = Infinity;
      times = Math.max(times, repeat);
    }
    if (now >= this.#refreshAt) {
      this.#refreshAt = now + refreshMs;
      times = Math.max(times, refreshRepeat);
    }
    if (now >= this.#lowerAt) {
      this.#lowerAt = Infinity;
      times = Math.max(times, lowerPriorityRepeat);
    }
    if (now >= this.#claimAt) times = Math.max(times, this.claimed(now));
    if (now >= this.#splitAt) {
      this.#splitAt = now < this.#splitUntil ? now + AFTER_SPLIT_EVERY_MS : Infinity;
      times = Math.max(times, 1);
    }
    return times;
  }
}
