/** How an instance leaves INIT or FAULT: the waits are keepalived's but for the first one of `state MASTER`. */

import type { Turn } from "./decision-log.ts";
import type { Instance } from "./instance.ts";
import { becomeMaster } from "./takeover.ts";
import { hintedStartMs } from "./timing.ts";

const OWNER_PRIORITY = 255;

export function recover(instance: Instance, turn: Turn): void {
  const { startAsMaster, priority, advertIntervalMs } = instance.settings;
  const starting = instance.state.kind === "INIT";
  const owner = priority === OWNER_PRIORITY;
  instance.activeIntervalMs = advertIntervalMs;
  if (starting && owner && !instance.grouped && turn.now >= instance.notBeforeMs) {
    becomeMaster(instance, turn, "we own the addresses (priority 255)");
    return;
  }
  let wait = instance.masterDownMs;
  if (owner) wait = starting ? 0 : advertIntervalMs + instance.skewMs;
  else if (starting && startAsMaster) wait = hintedStartMs(advertIntervalMs);
  const reason = starting ? "started, listening for a master" : wellAgain(instance);
  instance.toBackup(turn, wait, "nobody", reason);
}

/** What counts by its weight alone may still be ill. */
function wellAgain({ sum }: Instance): string {
  const isWell = sum?.tracks.every(({ ok }) => ok) !== false;
  return isWell ? "everything tracked is well again" : "nothing tracked is a FAULT any more";
}
