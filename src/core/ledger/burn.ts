/**
 * Burn-rate alerts: is the budget spent so fast that somebody must look? A burn rate of 1 spends
 * exactly the budget within the window of the objective. Source: The Site Reliability Workbook,
 * chapter 5, "Multiwindow, Multi-Burn-Rate Alerts"; rates and windows are those of its table 5-8.
 */

import type { Series } from "./series.ts";
import type { LedgerService } from "./settings.ts";

export interface BurnRule {
  readonly name: string;
  readonly burn: number;
  readonly longMs: number;
  readonly shortMs: number;
  /** `page`: wake somebody; `ticket`: in working hours. */
  readonly urgency: "page" | "ticket";
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export const BURN_RULES: readonly BurnRule[] = [
  { name: "fast", burn: 14.4, longMs: HOUR, shortMs: 5 * MINUTE, urgency: "page" },
  { name: "steady", burn: 6, longMs: 6 * HOUR, shortMs: 30 * MINUTE, urgency: "page" },
  { name: "slow", burn: 1, longMs: 72 * HOUR, shortMs: 6 * HOUR, urgency: "ticket" },
];

/** An alert ends when the short window has stayed below that part of its rate ... */
const RESET_SHARE = 0.75;
/** ... for so long. */
const RESET_AFTER_MS = MINUTE;

/** The fastest burn there can be: when every request fails. */
export function fastestBurn(availability: number): number {
  return 1 / (1 - availability);
}

/** A sentence for each rule that can never fire with this objective. */
export function unreachableRules(availability: number): string[] {
  const most = fastestBurn(availability);
  // 1 / (1 - 0.9) is a little below 10.
  return BURN_RULES.filter(({ burn }) => burn > most * (1 + 1e-9)).map(
    ({ name, burn }) =>
      `the ${name} alert needs ${burn} times the allowed failures, ` +
      `but when every request fails it is only ${Number(most.toFixed(2))} times`,
  );
}

export type BurnState = "quiet" | "firing" | "unreachable" | "too-little-traffic" | "no-data";

export interface BurnStatus {
  readonly service: string;
  readonly vantage: string;
  readonly rule: BurnRule;
  readonly state: BurnState;
  /** Rates in the two windows; 0 where nothing was asked. */
  readonly long: number;
  readonly short: number;
  readonly sinceMs: number;
  readonly reason: string;
}

/** One rule on one series. */
export class BurnWatch {
  readonly #service: LedgerService;
  readonly #vantage: string;
  readonly #rule: BurnRule;
  #firing: boolean;
  #sinceMs: number;
  #belowSinceMs = Infinity;

  /** `firingSinceMs`: an earlier life has told so, and not that it is over. */
  constructor(service: LedgerService, vantage: string, rule: BurnRule, firingSinceMs?: number) {
    this.#service = service;
    this.#vantage = vantage;
    this.#rule = rule;
    this.#firing = firingSinceMs !== undefined;
    this.#sinceMs = firingSinceMs ?? 0;
  }

  judge(nowMs: number, series: Series): BurnStatus {
    const { longMs, shortMs, burn } = this.#rule;
    const { availability } = this.#service.objectives;
    const [long, short] = [series.sum(nowMs - longMs, nowMs), series.sum(nowMs - shortMs, nowMs)];
    const [longBurn, shortBurn] = [long, short].map(
      ({ good, bad }) => (good + bad === 0 ? 0 : bad / (good + bad)) / (1 - availability),
    ) as [number, number];
    const rates = { long: longBurn, short: shortBurn };
    if (burn > fastestBurn(availability) * (1 + 1e-9)) {
      const reason = unreachableRules(availability).find((one) => one.includes(this.#rule.name));
      return this.#status("unreachable", rates, reason ?? "");
    }
    const asked = long.good + long.bad;
    // An alert that fires is not taken back because the measurements stop.
    if (!this.#firing && asked === 0) {
      return this.#status("no-data", rates, `nothing was asked within ${hours(longMs)}`);
    }
    if (!this.#firing && asked < this.#service.minEvents) {
      const reason =
        `${asked} of at least ${this.#service.minEvents} requests within ${hours(longMs)}: ` +
        "too few to judge; a probe asks regularly";
      return this.#status("too-little-traffic", rates, reason);
    }
    this.#turn(nowMs, rates, short.good + short.bad > 0);
    return this.#status(this.#firing ? "firing" : "quiet", rates, this.#sentence(rates));
  }

  #turn(nowMs: number, rates: { long: number; short: number }, asked: boolean): void {
    const { burn } = this.#rule;
    if (!this.#firing) {
      if (rates.long < burn || rates.short < burn) return;
      this.#firing = true;
      this.#sinceMs = nowMs;
      this.#belowSinceMs = Infinity;
      return;
    }
    if (!asked || rates.short >= burn * RESET_SHARE) {
      this.#belowSinceMs = Infinity;
      return;
    }
    this.#belowSinceMs = Math.min(this.#belowSinceMs, nowMs);
    if (nowMs - this.#belowSinceMs < RESET_AFTER_MS) return;
    this.#firing = false;
    this.#sinceMs = nowMs;
  }

  #sentence({ long, short }: { long: number; short: number }): string {
    const { burn, longMs, shortMs } = this.#rule;
    if (long === 0) return `no failures within ${hours(longMs)}`;
    return (
      `the budget burns ${times(long)} as fast as allowed over ${hours(longMs)} and ` +
      `${times(short)} over ${hours(shortMs)} (limit ${burn})`
    );
  }

  #status(state: BurnState, rates: { long: number; short: number }, reason: string): BurnStatus {
    const { name: service } = this.#service;
    const common = { service, vantage: this.#vantage, rule: this.#rule };
    return { ...common, state, ...rates, sinceMs: this.#sinceMs, reason };
  }
}

function times(rate: number): string {
  return `${rate >= 100 ? Math.round(rate) : Number(rate.toPrecision(3))} times`;
}

function hours(ms: number): string {
  if (ms % (24 * HOUR) === 0) return `${ms / (24 * HOUR)} d`;
  return ms % HOUR === 0 ? `${ms / HOUR} h` : `${ms / MINUTE} min`;
}
