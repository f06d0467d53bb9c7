/** The beginning of a reign, and the end of another. RFC 9568 section 6.4.2 (Active_Down_Timer). */

import type { Turn } from "./decision-log.ts";
import type { Instance } from "./instance.ts";
import { masterAfter } from "./instance-state.ts";

/** `silent`: the peer that is lost. Told after what clients wait for, before what follows. */
export function becomeMaster(
  instance: Instance,
  turn: Turn,
  reason: string,
  silent?: string,
): void {
  const { advertIntervalMs, name } = instance.settings;
  const from = instance.state.kind;
  const clientsFirst = onlyClientsWait(instance);
  instance.activeIntervalMs = advertIntervalMs;
  instance.holdUntilMs = -Infinity;
  instance.starvation.reset();
  instance.guard.reset();
  instance.state = masterAfter(instance.state, turn.now + advertIntervalMs);
  instance.counters.becameMaster++;
  instance.promise(turn);
  if (!clientsFirst) instance.tellRouters(turn);
  turn.out.push({ type: "acquire-addresses", instance: name });
  instance.announce(turn, instance.plan.start(turn.now));
  if (clientsFirst) instance.tellRouters(turn);
  if (silent !== undefined) reportLost(instance, turn, silent, reason);
  instance.changed(turn, from, reason);
  instance.master = undefined;
}

/** The addresses are ready and no third router is there: its advert would cost clients 0.2 ms. */
function onlyClientsWait({ state, master, settings, peers }: Instance): boolean {
  if (state.kind !== "BACKUP" || !state.prepared || settings.strict) return false;
  return master !== undefined && !peers.knowsOtherThan(master.address);
}

export function reportLost(instance: Instance, turn: Turn, peer: string, reason: string): void {
  if (instance.peers.lost(peer)) instance.report(turn, { kind: "peer-lost", reason, peer });
}
