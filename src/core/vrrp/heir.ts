/**
 * What an instance does in INIT when the process before it was MASTER and left its addresses in
 * the kernel, with a lease that still runs: it goes on as if it had only slept. Until everything
 * tracked is known it keeps silent; when the lease ends before that, or another master shows up,
 * it lets go and begins like any other.
 */

import type { Turn } from "./decision-log.ts";
import type { Instance } from "./instance.ts";
import type { Advert } from "./packet.ts";
import { ms } from "./reasons.ts";
import { objectionTo, type Reign } from "./reign.ts";

/** The reign that the instance may go on with, while it waits for that. */
export function reignOf(instance: Instance): Reign | undefined {
  return instance.state.kind === "INIT" ? instance.state.reign : undefined;
}

/** The process before this one was master of the instance: waits to go on, or lets go at once. */
export function inherit(instance: Instance, turn: Turn, reign: Reign): void {
  instance.state = { kind: "INIT", reign };
  const objection = objectionTo(reign, instance.identity, turn.now);
  if (objection !== undefined) forsake(instance, turn, objection);
}

export function isHeir(instance: Instance): boolean {
  return reignOf(instance) !== undefined;
}

export function isHeirReady(instance: Instance): boolean {
  return reignOf(instance) !== undefined && instance.sum?.pending === false;
}

/** Everything tracked is known: master again. Nobody is told twice, a fault resigns at once. */
export function resume(instance: Instance, turn: Turn): void {
  letLapse(instance, turn);
  const reign = reignOf(instance);
  if (reign === undefined) return;
  const { leaseUntilMs, sequence, alone } = reign;
  const { name } = instance.settings;
  instance.sender.continueFrom(sequence);
  if (!alone) instance.peers.supposeOthers();
  instance.state = { kind: "MASTER", advertAtMs: turn.now, leaseUntilMs, repliedAtMs: -Infinity };
  const left = ms(leaseUntilMs - turn.now);
  const reason = `the process before us was master, its lease runs ${left} more`;
  instance.changed(turn, "INIT", reason, true);
  const { sum } = instance;
  if (sum !== undefined && sum.faults.length > 0) {
    instance.applyTracks(turn, sum);
    return;
  }
  instance.advertise(turn);
  instance.state.advertAtMs = turn.now + instance.settings.advertIntervalMs;
  // The predecessor may have died before it had carried these out.
  turn.out.push({ type: "acquire-addresses", instance: name });
  instance.announce(turn, instance.plan.start(turn.now));
}

/** Whoever waits longer than the lease, or slept over its end, does not know who is master. */
export function letLapse(instance: Instance, turn: Turn): void {
  if (turn.now < (reignOf(instance)?.leaseUntilMs ?? Infinity)) return;
  const why = "the lease of the process before us ended before all that is tracked was known";
  forsake(instance, turn, why);
}

/** Lets go of what the predecessor held. */
export function forsake(instance: Instance, turn: Turn, why: string): void {
  if (reignOf(instance) === undefined) return;
  instance.state = { kind: "INIT" };
  turn.out.push({ type: "release-addresses", instance: instance.settings.name });
  instance.report(turn, { kind: "note", reason: why });
  if (instance.sum !== undefined) instance.applyTracks(turn, instance.sum);
}

/** Who is master now was not while the lease was believed: it is theirs, be they better or not. */
export function heardAsHeir(
  instance: Instance,
  turn: Turn,
  heard: { readonly source: string; readonly advert: Advert },
): void {
  const { source, advert } = heard;
  if (advert.priority === 0) return;
  forsake(instance, turn, `${source} is master with priority ${advert.priority}`);
}
