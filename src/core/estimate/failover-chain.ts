/**
 * A group in which one copy serves and the others wait. Its states: how many copies are down, times
 * what the service does: served, away for a switch, away until somebody switches by hand.
 */

import { MarkovChain } from "./markov-chain.ts";

export interface FailoverRates {
  readonly total: number;
  readonly crews: number;
  /** Of one copy, per millisecond. */
  readonly failureRate: number;
  readonly repairRate: number;
  readonly coverage: number;
  readonly switchMs: number;
  readonly manualMs: number;
}

/** Shares of time, and failures of the service per millisecond. */
export interface FailoverState {
  readonly switching: number;
  /** A failure that the switch did not answer. */
  readonly uncovered: number;
  readonly allDown: number;
  readonly failuresPerMs: number;
}

const SERVED = 0;
const SWITCHING = 1;
const UNCOVERED = 2;

export function failoverState(rates: FailoverRates): FailoverState {
  const { total, failureRate } = rates;
  if (failureRate === 0) return { switching: 0, uncovered: 0, allDown: 0, failuresPerMs: 0 };
  const shares = chainOf(rates).shares();
  const sum = (phase: number, from: number, to: number): number => {
    let all = 0;
    for (let down = from; down <= to; down++) all += shares[stateNumber(down, phase)] ?? 0;
    return all;
  };
  // Who serves fails; it does not matter how many wait.
  const failuresPerMs = failureRate * sum(SERVED, 0, total - 1);
  return {
    switching: sum(SWITCHING, 0, total),
    uncovered: sum(UNCOVERED, 0, total),
    allDown: shares[stateNumber(total, SERVED)] ?? 0,
    failuresPerMs,
  };
}

function chainOf(rates: FailoverRates): MarkovChain {
  const { total, crews, failureRate, repairRate, coverage } = rates;
  const chain = new MarkovChain(3 * (total + 1));
  for (let down = 0; down <= total; down++) {
    const up = total - down;
    for (const phase of [SERVED, SWITCHING, UNCOVERED]) {
      const here = stateNumber(down, phase);
      // People who switch by hand and crews that repair are different people.
      if (down > 0) {
        chain.add(here, stateNumber(down - 1, phase), Math.min(down, crews) * repairRate);
      }
      if (phase === SERVED) {
        if (up > 0) chain.add(here, stateNumber(down + 1, SERVED), (up - 1) * failureRate);
        if (up > 1) {
          chain.add(here, stateNumber(down + 1, SWITCHING), failureRate * coverage);
          chain.add(here, stateNumber(down + 1, UNCOVERED), failureRate * (1 - coverage));
        } else if (up === 1) {
          chain.add(here, stateNumber(total, SERVED), failureRate);
        }
      } else {
        if (up > 0) chain.add(here, stateNumber(down + 1, phase), up * failureRate);
        const lengthMs = phase === SWITCHING ? rates.switchMs : rates.manualMs;
        // An instant has a length too, so that no rate is infinite.
        chain.add(here, stateNumber(down, SERVED), 1 / Math.max(lengthMs, SHORTEST_MS));
      }
    }
  }
  return chain;
}

const SHORTEST_MS = 1e-6;

/** SERVED comes first, so that each state leads to one with a smaller number. */
function stateNumber(down: number, phase: number): number {
  return 3 * down + phase;
}
