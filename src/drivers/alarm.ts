/**
 * One deadline, kept by the kernel. `setTimeout` rounds to whole milliseconds and adds the timer
 * slack of epoll; a timerfd is late only by the time the scheduler needs.
 */

import { assert } from "../lib/assert.ts";
import { monotonicMs } from "./clock.ts";
import * as ffi from "./ffi.ts";
import { watchReadable, type Watch } from "./poll.ts";

/** Offsets in `struct itimerspec`: interval (stays 0), then the first expiry. */
const VALUE_SECONDS = 16;
const VALUE_NANOSECONDS = 24;
const ITIMERSPEC_SIZE = 32;

export class Alarm {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #spec = new ffi.NativeMemory(ITIMERSPEC_SIZE);
  /** What was asked for; Infinity = nothing. */
  #deadlineMs = Infinity;
  /** What the kernel has: never later than that. Infinity = disarmed. */
  #armedMs = Infinity;

  /** `onDue` runs once per deadline, from the event loop, never from within `set`. */
  constructor(onDue: () => void) {
    const flags = ffi.TFD_NONBLOCK | ffi.TFD_CLOEXEC;
    this.#fd = ffi.timerfdCreate(ffi.CLOCK_MONOTONIC, flags);
    assert(this.#fd >= 0, `timerfd_create: ${this.#fd}; without it there is no time`);
    const ticks = new ffi.NativeMemory(8);
    this.#watch = watchReadable(this.#fd, () => {
      // EAGAIN: set anew after it had expired, which took the expiry back.
      if (ffi.readInto(this.#fd, ticks) < 0) return;
      this.#armedMs = Infinity;
      if (monotonicMs() < this.#deadlineMs) {
        this.#arm(this.#deadlineMs);
        return;
      }
      this.#deadlineMs = Infinity;
      onDue();
    });
  }

  /**
   * `deadlineMs` as in `monotonicMs()`. In the past = at once; Infinity = never. A deadline that
   * is only put off costs nothing: the kernel's old one passes once, and is then set anew.
   */
  set(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    if (deadlineMs < this.#armedMs) this.#arm(deadlineMs);
  }

  close(): void {
    this.#watch.close();
    ffi.closeFd(this.#fd);
  }

  #arm(deadlineMs: number): void {
    if (deadlineMs === Infinity) return;
    this.#armedMs = deadlineMs;
    // All zero would disarm: the earliest deadline is one nanosecond after the start of time.
    const ns = Math.max(1, Math.ceil(deadlineMs * 1e6));
    const seconds = Math.floor(ns / 1e9);
    // Both are small and positive: plain 32-bit writes spare the bigint.
    this.#spec.view.setUint32(VALUE_SECONDS, seconds, true);
    this.#spec.view.setUint32(VALUE_NANOSECONDS, ns - seconds * 1e9, true);
    const result = ffi.timerfdSettime(this.#fd, ffi.TFD_TIMER_ABSTIME, this.#spec.address);
    // The text is not made for every advert.
    if (result !== 0) assert(false, `timerfd_settime ${deadlineMs}: ${result}`);
  }
}
