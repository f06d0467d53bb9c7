/** What an instance in MASTER does: RFC 9568 section 6.4.3, and keepalived's way with rivals. */

import { compareBytes, parseIp } from "../../lib/ip-address.ts";
import type { Turn } from "./decision-log.ts";
import type { Instance } from "./instance.ts";
import { HOLD_MS, type MasterState } from "./instance-state.ts";
import type { Advert } from "./packet.ts";
import { ms } from "./reasons.ts";

const OWNER_PRIORITY = 255;
/** Answers to lower-priority adverts are this share of an interval apart, against floods. */
const REPLY_SHARE = 0.1;
/** A new master may hear its predecessor's adverts for this long. */
const HAND_OVER_INTERVALS = 2;

/** A deadline came: an advert, an announcement, an address to put back. */
export function masterTick(instance: Instance, state: MasterState, turn: Turn): void {
  if (leaseLapsed(instance, state, turn)) return;
  const { now } = turn;
  if (now >= state.advertAtMs) {
    const { advertIntervalMs } = instance.settings;
    const lateMs = now - state.advertAtMs;
    if (instance.starvation.advert(lateMs, advertIntervalMs) && starved(instance, turn, lateMs)) {
      return;
    }
    instance.advertise(turn);
    state.advertAtMs =
      lateMs < advertIntervalMs ? state.advertAtMs + advertIntervalMs : now + advertIntervalMs;
  }
  const times = instance.plan.due(now);
  if (times > 0) instance.announce(turn, times, true);
  if (now >= instance.guard.deadline) restoreAddresses(instance, turn);
  const { peers, plan } = instance;
  const askedMs = peers.contention?.byClaim === true ? plan.claimPauseMs : 0;
  if (!peers.contendsSince(now - 2 * Math.max(instance.masterDownMs, askedMs))) {
    splitBrainHealed(instance, turn, `${peers.contention?.peer} fell silent`);
  }
}

/** True when a lower-priority master was answered: neighbours may have followed it. */
export function heardAsMaster(
  instance: Instance,
  state: MasterState,
  turn: Turn,
  heard: { readonly source: string; readonly advert: Advert },
): boolean {
  const { source, advert } = heard;
  const { settings } = instance;
  if (advert.priority === 0) {
    instance.advertise(turn);
    state.advertAtMs = turn.now + settings.advertIntervalMs;
    // Who resigns beside us was master too, and clients may have followed it.
    instance.announceAfterRival(turn);
    return true;
  }
  const ours = instance.effectivePriority;
  if (advert.priority > ours || (advert.priority === ours && losesTie(instance, source))) {
    loseTo(instance, turn, source, advert);
    return false;
  }
  // Whoever hands over to us does it at once; later there are two masters, not one that goes.
  const settledAt = instance.sinceMs + HAND_OVER_INTERVALS * settings.advertIntervalMs;
  if (instance.peers.contend(turn.now, source, settledAt)) splitBrainFound(instance, turn);
  if (turn.now - state.repliedAtMs < settings.advertIntervalMs * REPLY_SHARE) return false;
  state.repliedAtMs = turn.now;
  if (!settings.strict && !settings.lowerPriorityNoAdvert) {
    instance.advertise(turn);
    state.advertAtMs = turn.now + settings.advertIntervalMs;
  }
  instance.announceAfterRival(turn);
  instance.notify(turn, "MASTER_RX_LOWER_PRI");
  return true;
}

/** ARP or NA showed another machine with our address. */
export function addressClaimed(
  instance: Instance,
  turn: Turn,
  claim: { readonly address: string; readonly mac: string },
): void {
  if (instance.peers.claimed(turn.now, claim.address, claim.mac)) splitBrainFound(instance, turn);
  const times = instance.plan.claimed(turn.now);
  if (times > 0) instance.announce(turn, times, true);
}

/** Somebody removed an address of ours: put it back, unless it is a fight that a peer may win. */
export function addressRemoved(instance: Instance, turn: Turn, address: string): void {
  if (!instance.settings.restoreRemovedAddresses) {
    instance.resign(turn, `address ${address} was removed by somebody else`, 0);
    return;
  }
  const fought = instance.guard.removed(turn.now, address);
  if (fought) {
    const reason = `address ${address} is removed again and again by somebody else`;
    instance.report(turn, { kind: "address-fought-over", reason });
    if (!instance.peers.isEmpty) {
      instance.resign(turn, `${reason}; a peer may have more luck`, HOLD_MS);
      return;
    }
  }
  restoreAddresses(instance, turn);
}

function restoreAddresses(instance: Instance, turn: Turn): void {
  for (const address of instance.guard.due(turn.now)) {
    turn.out.push({ type: "restore-address", instance: instance.settings.name, address });
  }
}

/** It is there again. */
export function addressRestored(instance: Instance, turn: Turn, address: string): void {
  if (instance.state.kind !== "MASTER") return;
  instance.counters.addressRestores++;
  const reason = `address ${address} was removed by somebody else and put back`;
  instance.report(turn, { kind: "address-restored", reason });
}

function loseTo(instance: Instance, turn: Turn, source: string, advert: Advert): void {
  const { settings, effectivePriority: ours } = instance;
  const { priority } = advert;
  if (priority === OWNER_PRIORITY && settings.priority === OWNER_PRIORITY) {
    const reason = `${source} also says that it owns the addresses (priority 255)`;
    instance.report(turn, { kind: "configuration-error", reason, peer: source });
  }
  splitBrainHealed(instance, turn, `${source} wins with priority ${priority}`);
  instance.rememberMaster(turn.now, source, priority);
  if (settings.version === 3) instance.activeIntervalMs = advert.intervalMs;
  const reason =
    priority > ours
      ? `${source} has higher priority ${priority} (ours ${ours})`
      : `${source} has our priority ${priority} and the higher address`;
  instance.yieldTo(turn, reason, instance.sendsLastAdvert);
}

/** Equal priorities: the higher primary address wins (RFC 9568 section 6.4.3 (725)). */
function losesTie(instance: Instance, source: string): boolean {
  const other = parseIp(source);
  if (other === undefined || instance.source === undefined) return false;
  return compareBytes(other, instance.source) > 0;
}

/** True when the kernel's lease ran out before we came to renew it: others may be master. */
export function leaseLapsed(instance: Instance, state: MasterState, turn: Turn): boolean {
  if (!instance.settings.lease || turn.now <= state.leaseUntilMs) return false;
  instance.counters.leaseLapses++;
  const silent = ms(turn.now - instance.leaseRenewedMs);
  const lease = ms(instance.leaseMs);
  const reason = `this process did not run for ${silent}, longer than its lease of ${lease}`;
  instance.report(turn, { kind: "lease-lapsed", reason });
  instance.release(turn);
  instance.activeIntervalMs = instance.settings.advertIntervalMs;
  // A new master may itself be hanging by now, with a lease that still runs: only a whole master
  // down interval outlasts it. Where no other router was ever heard, waiting helps nobody.
  const alone = instance.activeIntervalMs + instance.skewMs;
  const wait = instance.peers.isEmpty ? alone : instance.masterDownMs;
  instance.toBackup(turn, wait, "nobody", reason);
  return true;
}

/** True when the master resigned for it. */
function starved(instance: Instance, turn: Turn, lateMs: number): boolean {
  instance.counters.starvations++;
  instance.starvation.reset();
  const reason = `adverts go out ${ms(lateMs)} late: this machine is starved of CPU`;
  instance.report(turn, { kind: "starved", reason });
  if (instance.peers.isEmpty) return false; // nobody is known who could do better
  instance.resign(turn, reason, HOLD_MS);
  return true;
}

function splitBrainFound(instance: Instance, turn: Turn): void {
  const { contention } = instance.peers;
  if (contention === undefined) return;
  const { peer, reason, wasClaimed } = contention;
  if (!wasClaimed) instance.counters.splitBrains++;
  instance.report(turn, { kind: "split-brain-found", reason: `split brain: ${reason}`, peer });
}

/** Forgets the rival, if any, and tells of the end of what had been told. */
export function splitBrainHealed(instance: Instance, turn: Turn, why: string): void {
  if (instance.peers.endContention() === undefined) return;
  instance.report(turn, { kind: "split-brain-healed", reason: `split brain is over: ${why}` });
}
