/**
 * Plays takeovers before one is needed. Code that runs for the first time is several times slower
 * than it is later, and a takeover runs once in months: with adverts of 10 ms that would be a tenth
 * of the whole outage.
 */

import { Router } from "../core/vrrp/router.ts";
import type { RouterInput } from "../core/vrrp/router-ports.ts";
import type { InstanceSettings, VrrpSettings } from "../core/vrrp/settings.ts";
import type { KernelAddresses } from "../drivers/kernel-addresses.ts";

/** Elections in memory, and what they order from the kernel: enough for V8 to compile the way. */
const ELECTIONS = 40;
const STEPS_PER_ELECTION = 8;
const ACQUISITIONS = 12;
/** All of 127/8 is this host's anyway: to add and remove it changes nothing for anybody. */
const NOBODYS_ADDRESS = "127.255.255.254";
const NAME = "(rehearsal)";

/** `facts`: what the router was told before it started. */
export function rehearse(
  settings: VrrpSettings,
  facts: readonly RouterInput[],
  kernel: KernelAddresses,
): void {
  rehearseElections(settings, facts);
  const [instance] = settings.instances;
  if (instance !== undefined) rehearseAcquisition(instance, kernel);
}

/** A router of its own, whose orders nobody carries out. */
function rehearseElections(settings: VrrpSettings, facts: readonly RouterInput[]): void {
  const router = new Router(settings);
  let now = 0;
  for (const fact of facts) router.step(now, fact);
  router.step(now, { type: "started", wallMs: 0 });
  // Nobody has been asked yet; a play in which all is ill has no takeover.
  for (const verdict of allWell(settings)) router.step(now, verdict);
  for (let i = 0; i < ELECTIONS; i++) {
    for (let step = 0; step < STEPS_PER_ELECTION && router.deadline < Infinity; step++) {
      now = Math.max(now, router.deadline);
      router.step(now, { type: "woken", wallMs: now });
    }
    for (const fact of facts) {
      if (fact.type !== "interface-changed") continue;
      router.step(now, { ...fact, up: false });
      router.step(now, fact);
    }
  }
}

function allWell(settings: VrrpSettings): readonly RouterInput[] {
  const reason = "rehearsal";
  const tracks = [...settings.instances, ...settings.groups].flatMap((one) => one.tracks);
  const witnesses = settings.instances.flatMap((instance) => instance.witnesses);
  return [
    ...tracks.flatMap(({ kind, name, reverse }): readonly RouterInput[] =>
      kind === "script" || kind === "process" || kind === "file"
        ? [{ type: "track-changed", kind, name, ok: !reverse, value: 0, reason }]
        : [],
    ),
    ...witnesses.map((address): RouterInput => {
      return { type: "witness-changed", address, reachable: true };
    }),
  ];
}

/** The lease's class stays, and lapses unless somebody becomes master: making it takes time too. */
function rehearseAcquisition(instance: InstanceSettings, kernel: KernelAddresses): void {
  const leaseMs = instance.advertIntervalMs * instance.downTimerAdverts;
  const [model] = instance.addresses;
  if (model === undefined) return;
  const { vmac: _vmac, ...rest } = instance;
  const address = { ...model, address: NOBODYS_ADDRESS, prefixLength: 32, interface: "lo" };
  const nobody: InstanceSettings = {
    ...rest,
    name: NAME,
    addresses: [address],
    excludedAddresses: [],
    routes: [],
    rules: [],
  };
  for (let i = 0; i < ACQUISITIONS; i++) {
    kernel.renewLease(NAME, leaseMs);
    kernel.acquire(nobody);
    kernel.release(NAME);
  }
}
