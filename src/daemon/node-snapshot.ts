/**
 * The node's status as users get it. The vrrp process is asked at most a few times a second
 * however many users there are, and never waited for longer than a moment: a user who asks too
 * much gets older numbers, an advert is not delayed.
 */

import type { RouterStatus } from "../core/vrrp/status.ts";
import { monotonicMs } from "../drivers/clock.ts";
import type { RoleStatus } from "./role-protocol.ts";
import type { VrrpLink } from "./vrrp-link.ts";

/** Numbers that young are given out again. */
const FRESH_MS = 200;

export interface RouterSnapshot {
  readonly router?: RouterStatus;
  readonly vrrp?: RoleStatus;
  readonly routerAgeMs: number;
}

export class NodeSnapshot {
  readonly #link: () => VrrpLink | undefined;
  #router: RouterStatus | undefined;
  #role: RoleStatus | undefined;
  #takenMs = -Infinity;
  /** When the vrrp process was asked for them. */
  #askedMs = -Infinity;
  /** Numbers that were asked for before are given to nobody who asks now. */
  #outdatedMs = -Infinity;
  #asking: Promise<void> | undefined;

  constructor(link: () => VrrpLink | undefined) {
    this.#link = link;
  }

  /** Something changed: users get fresh numbers sooner. Events may come in storms. */
  invalidate(): void {
    this.#takenMs = Math.min(this.#takenMs, monotonicMs() - FRESH_MS / 2);
  }

  /** What an operator ordered was done: whoever asks from now on sees it. */
  outdate(): void {
    this.#outdatedMs = monotonicMs();
    this.#asking = undefined;
  }

  async take(): Promise<RouterSnapshot> {
    const link = this.#link();
    if (link !== undefined && !this.#isFresh) {
      const asking = (this.#asking ??= this.#ask(link));
      await asking;
      if (this.#asking === asking) this.#asking = undefined;
    }
    const routerAgeMs = Math.max(0, monotonicMs() - this.#takenMs);
    if (this.#router === undefined || this.#role === undefined) return { routerAgeMs: 0 };
    return { router: this.#router, vrrp: this.#role, routerAgeMs };
  }

  get #isFresh(): boolean {
    return this.#askedMs > this.#outdatedMs && monotonicMs() - this.#takenMs < FRESH_MS;
  }

  async #ask(link: VrrpLink): Promise<void> {
    const askedMs = monotonicMs();
    const { reply } = await link.status();
    if (reply?.status === undefined) return;
    this.#router = reply.status;
    this.#role = reply.role;
    this.#askedMs = askedMs;
    this.#takenMs = monotonicMs();
  }
}
