/**
 * In a process in reserve: does what it will do when it is called, and changes nothing. Code that runs
 * for the first time is several times slower than it is later, and a lease of 30 ms has no time for that.
 */

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { identitiesOf, type Reign } from "../core/vrrp/reign.ts";
import { Router } from "../core/vrrp/router.ts";
import type { RouterInput } from "../core/vrrp/router-ports.ts";
import type { VrrpSettings } from "../core/vrrp/settings.ts";
import { KernelAddresses } from "../drivers/kernel-addresses.ts";
import { LinkWatch } from "../drivers/link-watch.ts";
import { AddressLease } from "../drivers/nftables-lease.ts";
import { ReignRecord } from "../drivers/reign-record.ts";
import { allWell } from "./rehearsal.ts";

/** Enough for what is parsed and compiled at its first use. */
const TIMES = 3;
/** Of a table that is not there. */
const TABLE = "nines-rehearsal";
const LEASE = { classMs: 60_000, held: ["192.0.2.1", "2001:db8::1"], refused: [] };

export function rehearseSuccession(directory: string, settings: VrrpSettings): void {
  const place = join(directory, "spare");
  try {
    mkdirSync(place, { recursive: true, mode: 0o700 });
    for (let i = 0; i < TIMES; i++) {
      takeOver(place, settings);
      decide(settings);
    }
  } catch (error) {
    process.stderr.write(`nines: the process in reserve cannot rehearse: ${String(error)}\n`);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** As if one had died there that was master of nothing: to inherit would be to look for its addresses. */
function takeOver(place: string, settings: VrrpSettings): void {
  const reigns = ReignRecord.open(place);
  if (!(reigns instanceof ReignRecord)) return;
  for (const [instance, identity] of identitiesOf(settings)) {
    const facts = { instance, identity, durationMs: LEASE.classMs, sequence: 0, alone: false };
    reigns.note({ type: "renew-lease", ...facts });
  }
  const kernel = KernelAddresses.open({
    stateDirectory: place,
    heritage: { settings, reigns: [] },
  });
  reigns.close();
  if (!(kernel instanceof KernelAddresses)) return;
  const nothing = (): void => {};
  const links = LinkWatch.open(
    { socket: kernel.socket, isVirtual: () => false },
    { onInterface: nothing, onAddressRemoved: nothing },
  );
  if (links instanceof LinkWatch) {
    for (const { interface: name } of settings.instances) links.watch(name);
    links.close();
  }
  AddressLease.rehearse(TABLE, LEASE);
  kernel.close();
}

/** In memory. */
function decide(settings: VrrpSettings): void {
  const router = new Router(settings);
  const reigns = [...identitiesOf(settings)].map(([instance, identity]): Reign => {
    return { instance, identity, leaseUntilMs: LEASE.classMs, sequence: 0, alone: false };
  });
  for (const { interface: name } of settings.instances) {
    router.step(0, {
      type: "interface-changed",
      interface: name,
      exists: true,
      up: true,
      primaryIpv4: "192.0.2.2",
      linkLocalIpv6: "fe80::2",
    });
  }
  const inputs: RouterInput[] = [{ type: "started", wallMs: 0, reigns }, ...allWell(settings)];
  for (const input of inputs) router.step(0, input);
}
