/** The two clocks of a node. Neither allocates more than the number it returns. */

// The global of this name is a getter.
import { performance } from "node:perf_hooks";

/**
 * `performance.now()` is CLOCK_MONOTONIC minus the start of the process. The difference is
 * measured once, so that deadlines are absolute and comparable between processes.
 */
const processStartMs = measureProcessStart();

/** CLOCK_MONOTONIC in ms with fraction: never steps, stands still while the machine sleeps. */
export function monotonicMs(): number {
  return processStartMs + performance.now();
}

/** Unix time in ms. Steps when somebody sets the clock; for time stamps only. */
export function wallMs(): number {
  return Date.now();
}

function measureProcessStart(): number {
  // Preemption between the two readings makes the difference too small: keep the largest.
  let best = -Infinity;
  for (let i = 0; i < 20; i++) {
    const absoluteMs = Number(process.hrtime.bigint()) / 1e6;
    best = Math.max(best, absoluteMs - performance.now());
  }
  return best;
}
