/**
 * Asks targets at fixed times, whatever became of the earlier probes, as independent users do. Knows when
 * it stood still itself (stopped, starved, asleep) and says so to the watches.
 */

import { lookup } from "node:dns";
import { uptime } from "node:os";
import type { ProbedTarget } from "../config/probe/probe-url.ts";
import type { CheckTarget } from "../core/check/check-settings.ts";
import { DerivedKeys } from "../core/check/scram.ts";
import { ProbeWatch, type ProbeAnswer, type WatchNews } from "../core/probe/watch.ts";
import { type Abandon, ask, type Asking } from "../drivers/check-ask.ts";
import { CheckWires } from "../drivers/check-wire.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";

export interface ProberOptions {
  readonly targets: readonly ProbedTarget[];
  /** Scripts may be anybody's: the prober runs as its user, who wrote the command line. */
  readonly onNews: (target: ProbedTarget, news: WatchNews) => void;
  readonly onOwnTrouble: (text: string) => void;
}

/** How often we look whether we still run. */
const BEAT_MS = 25;
/** A beat that is later than that: we stood still. A busy machine delays a process by less. */
const STOOD_STILL_MS = 100;
/** After that, answers that came meanwhile have been read. */
const CATCH_UP_MS = 250;
/** Of one target at once: a timeout of a minute at ten probes a second. */
const MOST_UNDER_WAY = 600;
const CLOCK_SET_MS = 2000;
/** Longer pauses are told at once, shorter ones summed up. */
const LONG_MS = 1000;
const TOLD_EVERY_MS = 10_000;
/** The uptime comes in whole seconds. */
const ASLEEP_MS = 3000;

interface UnderWay {
  readonly id: number;
  deadlineMs: number;
  abandon: Abandon;
}

interface Asked {
  readonly target: ProbedTarget;
  readonly watch: ProbeWatch;
  nextMs: number;
  readonly underWay: Set<UnderWay>;
  /** One for each address, so that connections find their settings. */
  readonly checks: Map<string, CheckTarget>;
}

export class Prober {
  /** Unix ms minus monotonic ms at the start: times of reports are by this clock. */
  readonly wallOffsetMs: number;
  readonly #options: ProberOptions;
  readonly #asked: readonly Asked[];
  readonly #asking: Asking = {
    wires: new CheckWires(),
    keys: new DerivedKeys(),
    scripts: { enforce: false },
  };
  #beatMs: number;
  #aheadMs = 0;
  /** Uptime minus monotonic time at the start. */
  readonly #sleptBefore: number;
  #asleepMs = 0;
  #latestMs = 0;
  #untoldMs = 0;
  #toldMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProberOptions) {
    const now = monotonicMs();
    this.#options = options;
    this.wallOffsetMs = wallMs() - now;
    this.#beatMs = now;
    this.#sleptBefore = uptime() * 1000 - now;
    const { targets } = options;
    this.#asked = targets.map((target, i) => ({
      target,
      watch: new ProbeWatch({ slowMs: target.slowMs, wallOffsetMs: this.wallOffsetMs }),
      // Spread, so that several do not disturb each other.
      nextMs: now + (i * target.check.timing.intervalMs) / targets.length,
      underWay: new Set(),
      checks: new Map(),
    }));
    this.#arm(now);
  }

  get watches(): readonly { readonly target: ProbedTarget; readonly watch: ProbeWatch }[] {
    return this.#asked;
  }

  /** Unix ms by the clock of the start. */
  get wallNowMs(): number {
    return Math.round(this.#now() + this.wallOffsetMs);
  }

  /** The latest that a probe left after its time, ms; pauses not counted. */
  get latestMs(): number {
    return this.#latestMs;
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const asked of this.#asked) {
      for (const { abandon } of asked.underWay) abandon();
      for (const news of asked.watch.close()) this.#options.onNews(asked.target, news);
    }
    this.#asking.wires.close();
  }

  #arm(now: number): void {
    const next = Math.min(now + BEAT_MS, ...this.#asked.map(({ nextMs }) => nextMs));
    this.#timer = setTimeout(() => this.#beat(), Math.max(1, Math.ceil(next - now)));
  }

  /** Monotonic, and runs on while the machine sleeps, which CLOCK_MONOTONIC does not. */
  #now(): number {
    const mono = monotonicMs();
    const asleepMs = uptime() * 1000 - mono - this.#sleptBefore;
    if (asleepMs - this.#asleepMs >= ASLEEP_MS) this.#asleepMs = asleepMs;
    return mono + this.#asleepMs;
  }

  #beat(): void {
    const now = this.#now();
    this.#noticePause(now);
    this.#noticeClock(now);
    for (const asked of this.#asked) {
      this.#expire(asked, now);
      this.#send(asked, now);
    }
    this.#arm(this.#now());
  }

  /** Also before an answer is judged: after a stop, sockets may be read before timers run. */
  #noticePause(now: number): void {
    const fromMs = this.#beatMs + BEAT_MS;
    this.#beatMs = now;
    const forMs = now - fromMs;
    if (forMs < STOOD_STILL_MS) return;
    for (const { watch, underWay } of this.#asked) {
      watch.stoodStill(fromMs, now);
      for (const one of underWay) {
        one.deadlineMs = Math.max(one.deadlineMs + forMs, now + CATCH_UP_MS);
      }
    }
    this.#untoldMs += forMs;
    // On a busy machine it happens again and again.
    if (forMs < LONG_MS && now - this.#toldMs < TOLD_EVERY_MS) return;
    const seconds = (this.#untoldMs / 1000).toFixed(1);
    this.#untoldMs = 0;
    this.#toldMs = now;
    this.#options.onOwnTrouble(
      `the prober stood still for ${seconds} s: not counted against anybody`,
    );
  }

  #noticeClock(now: number): void {
    const aheadMs = wallMs() - now - this.wallOffsetMs;
    if (Math.abs(aheadMs - this.#aheadMs) < CLOCK_SET_MS) return;
    const by = ((aheadMs - this.#aheadMs) / 1000).toFixed(1);
    this.#aheadMs = aheadMs;
    const text = `the clock of this machine was set by ${by} s: times go on by the clock of the start`;
    this.#options.onOwnTrouble(text);
  }

  #expire({ target, watch, underWay }: Asked, now: number): void {
    const { timeoutMs } = target.check.timing;
    for (const one of underWay) {
      if (now < one.deadlineMs) continue;
      underWay.delete(one);
      one.abandon();
      const reason = `no answer within ${timeoutMs} ms`;
      for (const news of watch.ended(now, one.id, { ok: false, reason })) {
        this.#options.onNews(target, news);
      }
    }
  }

  #send(asked: Asked, now: number): void {
    const { intervalMs, timeoutMs } = asked.target.check.timing;
    if (now < asked.nextMs) return;
    const lateMs = now - asked.nextMs;
    if (lateMs < STOOD_STILL_MS) this.#latestMs = Math.max(this.#latestMs, lateMs);
    // Probes that were due while we stood still are not made up for.
    asked.nextMs += Math.ceil((lateMs + 1e-9) / intervalMs) * intervalMs;
    if (asked.nextMs <= now) asked.nextMs = now + intervalMs;
    if (asked.underWay.size >= MOST_UNDER_WAY) return;
    const one: UnderWay = { id: asked.watch.sent(now), deadlineMs: now + timeoutMs, abandon() {} };
    asked.underWay.add(one);
    const end = (answer: ProbeAnswer): void => {
      if (!asked.underWay.delete(one)) return;
      const endMs = this.#now();
      this.#noticePause(endMs);
      for (const news of asked.watch.ended(endMs, one.id, answer)) {
        this.#options.onNews(asked.target, news);
      }
    };
    one.abandon = this.#ask(asked, end);
  }

  #ask(asked: Asked, end: (answer: ProbeAnswer) => void): Abandon {
    const { host, unixPath } = asked.target;
    if (unixPath !== undefined || isAddress(host)) {
      return ask(checkOf(asked, host), this.#asking, end);
    }
    let abandon: Abandon | undefined;
    let isOver = false;
    lookup(host, (error, address) => {
      if (isOver) return;
      if (error !== null) {
        end({ ok: false, reason: `${host} is not found: ${error.code ?? error.message}` });
        return;
      }
      // A name may lead to several: where the answer does not say who it is, the address does.
      const signed = (answer: ProbeAnswer): void => end({ by: address, ...answer });
      abandon = ask(checkOf(asked, address), this.#asking, signed);
    });
    return () => {
      isOver = true;
      abandon?.();
    };
  }
}

function isAddress(host: string): boolean {
  return host.includes(":") || /^\d+\.\d+\.\d+\.\d+$/u.test(host);
}

const MOST_ADDRESSES = 64;

function checkOf({ target, checks }: Asked, address: string): CheckTarget {
  const known = checks.get(address);
  if (known !== undefined) return known;
  const { name: subject, check, port, unixPath } = target;
  const endpoint =
    unixPath === undefined
      ? ({ kind: "ip", address, port } as const)
      : ({ kind: "unix", path: unixPath } as const);
  if (checks.size >= MOST_ADDRESSES) checks.clear();
  const fresh: CheckTarget = { subject, check, endpoint };
  checks.set(address, fresh);
  return fresh;
}
