/** What an instance in BACKUP does: RFC 9568 section 6.4.2, RFC 3768 section 6.4.2. */

import type { Turn } from "./decision-log.ts";
import type { Instance } from "./instance.ts";
import type { BackupState } from "./instance-state.ts";
import type { Advert } from "./packet.ts";
import { downReason } from "./reasons.ts";
import { becomeMaster, reportLost } from "./takeover.ts";
import { afterResignationMs } from "./timing.ts";

const OWNER_PRIORITY = 255;
/**
 * How long before a takeover its addresses are put into the kernel, with their lease shut. Three
 * times as long as that takes; and within the skew, where the lease of a master that fell silent
 * has ended: nobody answers for them any more.
 */
const PREPARE_AHEAD_MS = 6;
/** With less time left it would put the takeover off. */
export const LEAST_AHEAD_MS = 2.5;

/** A deadline came: to get ready, or to take over. */
export function backupTick(instance: Instance, state: BackupState, turn: Turn): void {
  if (turn.now >= state.downAtMs) masterIsDown(instance, state, turn);
  else if (turn.now >= state.downAtMs - state.prepareAheadMs) {
    state.prepareAheadMs = 0;
    if (state.downAtMs - turn.now < LEAST_AHEAD_MS || speaksFromOurs(instance)) return;
    state.prepared = true;
    const { name } = instance.settings;
    turn.out.push({ type: "prepare-addresses", instance: name, takeoverMs: state.downAtMs });
  }
}

/** The kernel hears nothing from an address that is its own: what if the master is alive? */
function speaksFromOurs({ master, settings }: Instance): boolean {
  const isItsAddress = ({ address }: { address: string }): boolean => address === master?.address;
  return master?.priority === OWNER_PRIORITY || settings.addresses.some(isItsAddress);
}

/** What was got ready is not needed now, nor to be got ready. */
export function retract(instance: Instance, turn: Turn): void {
  const { state } = instance;
  if (state.kind !== "BACKUP") return;
  state.prepareAheadMs = 0;
  if (!state.prepared) return;
  state.prepared = false;
  turn.out.push({ type: "release-addresses", instance: instance.settings.name });
}

/** A group may wait for its other members without end. */
function prepareAheadMs(instance: Instance): number {
  const { settings, grouped } = instance;
  if (grouped || !settings.lease) return 0;
  const aheadMs = Math.min(instance.skewMs, PREPARE_AHEAD_MS);
  return aheadMs < LEAST_AHEAD_MS ? 0 : aheadMs;
}

/** Nobody better is there. */
function masterIsDown(instance: Instance, state: BackupState, turn: Turn): void {
  const reason = downReason(instance, turn.now);
  // Who resigned, or yields to us, has not gone missing.
  const silent = state.awaiting === "master" ? instance.master?.address : undefined;
  if (instance.grouped) {
    state.ready = true;
    state.downAtMs = turn.now + instance.masterDownMs;
    if (silent !== undefined) reportLost(instance, turn, silent, reason);
  } else becomeMaster(instance, turn, reason, silent);
}

export function heardAsBackup(
  instance: Instance,
  state: BackupState,
  turn: Turn,
  heard: { readonly source: string; readonly advert: Advert },
): void {
  const { source, advert } = heard;
  // Silence begins when an advert comes, not when there is time to read it.
  const arrivedMs = turn.now - turn.waitedMs;
  const { priority } = advert;
  const { settings } = instance;
  // Something fails where the addresses were given to: they are not left there for that.
  if (hasFallen(instance.master, source, priority)) instance.holdUntilMs = -Infinity;
  instance.rememberMaster(arrivedMs, source, priority);
  retract(instance, turn);
  if (priority === 0) {
    const fast = settings.fastHandover && !instance.peers.knowsOtherThan(source);
    state.downAtMs = instance.electAt(arrivedMs, afterResignationMs(instance.skewMs, fast));
    state.awaiting = "resigned";
    return;
  }
  if (!leavesInCharge(instance, state, priority, turn.now)) {
    state.awaiting = "lower";
    // The master is alive and will yield: only our place among the backups needs waiting for.
    if (settings.fastHandover) {
      const wait = instance.skewMs + state.apartMs;
      state.downAtMs = Math.min(state.downAtMs, instance.electAt(arrivedMs, wait));
    }
    return;
  }
  if (settings.version === 3) instance.activeIntervalMs = advert.intervalMs;
  // Who advertises an interval later stays: only one that made way as well is kept apart from.
  if (turn.now - instance.sinceMs >= instance.activeIntervalMs) state.apartMs = 0;
  state.downAtMs = instance.electAt(arrivedMs, instance.masterDownMs + state.apartMs);
  state.prepareAheadMs = prepareAheadMs(instance);
  state.awaiting = "master";
  state.ready = false;
}

function hasFallen(before: Instance["master"], source: string, priority: number): boolean {
  return before?.address === source && priority < before.priority;
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
