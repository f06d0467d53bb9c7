/** What an instance in BACKUP does: RFC 9568 section 6.4.2, RFC 3768 section 6.4.2. */

import type { Turn } from "./decision-log.ts";
import type { Instance } from "./instance.ts";
import type { BackupState } from "./instance-state.ts";
import type { Advert } from "./packet.ts";
import { downReason } from "./reasons.ts";
import { afterResignationMs } from "./timing.ts";

const OWNER_PRIORITY = 255;

/** The timer fired: nobody better is there. */
export function masterIsDown(instance: Instance, state: BackupState, turn: Turn): void {
  const reason = downReason(instance, turn.now);
  // Who resigned, or yields to us, has not gone missing.
  const silent = state.awaiting === "master" ? instance.master?.address : undefined;
  if (silent !== undefined && instance.peers.lost(silent)) {
    instance.report(turn, { kind: "peer-lost", reason, peer: silent });
  }
  if (instance.grouped) {
    state.ready = true;
    state.downAtMs = turn.now + instance.masterDownMs;
    return;
  }
  instance.becomeMaster(turn, reason);
}

export function heardAsBackup(
  instance: Instance,
  state: BackupState,
  turn: Turn,
  heard: { readonly source: string; readonly advert: Advert },
): void {
  const { source, advert } = heard;
  const { priority } = advert;
  const { settings } = instance;
  instance.rememberMaster(turn.now, source, priority);
  if (priority === 0) {
    const fast = settings.fastHandover && !instance.peers.knowsOtherThan(source);
    state.downAtMs = instance.electAt(turn.now + afterResignationMs(instance.skewMs, fast));
    state.awaiting = "resigned";
    return;
  }
  if (!leavesInCharge(instance, state, priority, turn.now)) {
    state.awaiting = "lower";
    // The master is alive and will yield: only our place among the backups needs waiting for.
    if (settings.fastHandover) {
      const wait = instance.skewMs + state.apartMs;
      state.downAtMs = Math.min(state.downAtMs, instance.electAt(turn.now + wait));
    }
    return;
  }
  if (settings.version === 3) instance.activeIntervalMs = advert.intervalMs;
  state.downAtMs = instance.electAt(turn.now + instance.masterDownMs);
  state.awaiting = "master";
  state.ready = false;
}

/** RFC 9568 section 6.4.2 (425): is a master of this priority to be left in charge? */
function leavesInCharge(
  instance: Instance,
  state: BackupState,
  priority: number,
  now: number,
): boolean {
  const { settings } = instance;
  if (priority >= instance.effectivePriority) {
    state.preemptAtMs = undefined;
    return true;
  }
  if (now < instance.holdUntilMs) return true;
  if (settings.priority === OWNER_PRIORITY) return false;
  if (!settings.preempt) return true;
  state.preemptAtMs ??= now + settings.preemptDelayMs;
  return now < state.preemptAtMs;
}
