/**
 * Checks that are run only while this machine has an address: keepalived's `ha_suspend`. As there, a server that
 * nobody asks stays what it was; unlike there, it is asked at once when the address comes, not an interval later.
 */

import type { CheckSettings } from "./check-settings.ts";

type WhileHeld = Pick<CheckSettings, "whileHeld">;

export function isHere({ whileHeld }: WhileHeld, holds: (address: string) => boolean): boolean {
  return whileHeld === undefined || whileHeld.some((address) => holds(address));
}

export function whySuspended({ whileHeld = [] }: WhileHeld): string {
  const [first = "", ...more] = whileHeld;
  if (more.length === 0) return `checks suspended: ${first} is elsewhere`;
  return `checks suspended: ${first} and ${more.length} more are elsewhere`;
}
