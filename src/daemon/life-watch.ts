/** A process of a role that lives and does nothing is replaced: a stopped one, an event loop that stands still. */

import type { RoleProcessStatus } from "./control-api.ts";

/**
 * Looks are counted and not time: who was stopped as a whole (a frozen container, a machine that slept)
 * looks once and then sees it live.
 */
export interface Patience {
  readonly lookMs: number;
  /** So many in a row without a sign of life. */
  readonly looks: number;
  /** Who has never shown a sign is left alone: of an earlier version, it knows of none. */
  readonly fromFirstSign: boolean;
}

/** Does it again and again; the answer ends that. */
export type Repeat = (work: () => void, everyMs: number) => () => void;

export interface WatchedLife {
  readonly status: RoleProcessStatus;
  /** When it showed last that it lives. */
  readonly shownMs: number | undefined;
  replaceHung(why: string): void;
}

export class LifeWatch {
  readonly #life: WatchedLife;
  readonly #patience: Patience;
  #process = "";
  #shownMs: number | undefined;
  #hasShown = false;
  #looks = 0;

  constructor(life: WatchedLife, patience: Patience) {
    this.#life = life;
    this.#patience = patience;
  }

  look(): void {
    const { status, shownMs } = this.#life;
    const { lookMs, looks, fromFirstSign } = this.#patience;
    if (fromFirstSign && shownMs === undefined) {
      // Its file is gone, perhaps with the whole directory: it may be well, and a successor would not be.
      this.#looks = 0;
      return;
    }
    const process = `${status.state} ${status.pid}`;
    const isOther = process !== this.#process;
    const hasMoved = shownMs !== this.#shownMs;
    this.#hasShown = isOther ? !fromFirstSign : this.#hasShown || hasMoved;
    this.#looks = isOther || hasMoved ? 0 : this.#looks + 1;
    this.#process = process;
    this.#shownMs = shownMs;
    if (status.state !== "running" || !this.#hasShown || this.#looks < looks) return;
    this.#looks = 0;
    this.#life.replaceHung(`it has shown no sign of life for ${looks * lookMs} ms`);
  }
}
