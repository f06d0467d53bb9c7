/** One instance's state as plain data. */

import type { Facts } from "./facts.ts";
import type { Instance } from "./instance.ts";
import type { InstanceStatus } from "./status.ts";

export function instanceStatus(
  instance: Instance,
  group: string | undefined,
  facts: Facts,
): InstanceStatus {
  const { settings, master, peers, state } = instance;
  const { contention } = peers;
  return {
    name: settings.name,
    state: state.kind,
    sinceMs: instance.sinceMs,
    reason: instance.reason,
    interface: settings.interface,
    family: settings.family,
    version: settings.version,
    vrid: settings.vrid,
    basePriority: settings.priority,
    effectivePriority: instance.effectivePriority,
    advertIntervalMs: instance.activeIntervalMs,
    masterDownIntervalMs: instance.masterDownMs,
    addresses: [...settings.addresses, ...settings.excludedAddresses].map(
      (a) => `${a.address}/${a.prefixLength}`,
    ),
    ...(group === undefined ? {} : { group }),
    ...(state.kind === "MASTER" || master === undefined
      ? {}
      : {
          master: {
            address: master.address,
            priority: master.priority,
            lastHeardMs: master.heardAtMs,
          },
        }),
    peers: peers.status(),
    tracks: instance.sum?.tracks ?? [],
    witnesses: facts.witnessStatus(settings.witnesses),
    ...(contention?.found === true
      ? {
          splitBrain: {
            peer: contention.peer,
            sinceMs: contention.sinceMs,
            reason: contention.reason,
          },
        }
      : {}),
    lease: {
      enabled: settings.lease,
      durationMs: instance.leaseMs,
      renewedMs: instance.leaseRenewedMs,
    },
    counters: { ...instance.counters },
  };
}
