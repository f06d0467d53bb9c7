/** Waiting for something to become true, never for time to pass. */

/** The condition did not come true in time. */
class TimedOut extends Error {
  override readonly name = "TimedOut";
}

const LONGEST_PAUSE_MS = 20;

/**
 * Asks `condition` again and again (after 1 ms, 2 ms, … 20 ms) until it gives something other
 * than false, null or undefined, and resolves to that. A condition that throws is not yet true; the
 * last error is told when the time is up.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  timeoutMs: number,
  what: string,
): Promise<NonNullable<T>> {
  const end = performance.now() + timeoutMs;
  let lastError: unknown;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      const value = await condition();
      if (value !== false && value !== null && value !== undefined) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= end) throw new TimedOut(explain(timeoutMs, what, lastError));
    await pause(pauseMs);
  }
}

/** For the lab only: faults and measurements need real time to pass. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function explain(timeoutMs: number, what: string, error: unknown): string {
  const why = error instanceof Error ? ` (last: ${error.message})` : "";
  return `waited ${timeoutMs} ms in vain for ${what}${why}`;
}
