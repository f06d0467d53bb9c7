/**
 * May a request be sent once more? Only when no server can have carried it out twice by that: it
 * never left, or it may be repeated (RFC 9110 9.2.2) and nobody has seen anything of an answer.
 */

import type { Pool } from "../balance/pool.ts";
import type { RetrySettings } from "../balance/pool-settings.ts";
import type { Exchange } from "./exchange.ts";
import { COUNTERS } from "./traffic.ts";

/** Another attempt is safe now: the request is still whole besides. */
export function mayRepeat({ outbound, answerShown, isIdempotent }: Exchange): boolean {
  if (answerShown || !outbound.whole) return false;
  return isIdempotent || !outbound.sentAnything;
}

/** Now that it goes out: is there any case in which it would be sent again? */
export function mayEverRepeat({ isIdempotent, server }: Exchange, retry: RetrySettings): boolean {
  return isIdempotent && (retry.attempts > 0 || server!.isReused);
}

/** Takes one of the retries that the request and its pool are allowed; false: none is left. */
export function takeRetry(exchange: Exchange, pool: Pool<Exchange>, now: number): boolean {
  if (exchange.retries >= pool.settings.retry.attempts) return false;
  const { traffic } = exchange.dispatcher!;
  if (!pool.retries.tryRetry(now)) {
    traffic.add(COUNTERS.retriesDenied, 1);
    return false;
  }
  exchange.retries++;
  traffic.add(COUNTERS.retries, 1);
  exchange.server!.group.traffic.add(COUNTERS.retries, 1);
  return true;
}
