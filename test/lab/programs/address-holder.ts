/**
 * Holds addresses on command: one JSON line in, one JSON line out. Runs inside a network
 * namespace; the lab stops, continues and kills it.
 *
 *     node address-holder.ts STATE_DIRECTORY LEASE_TABLE
 */

import { createInterface } from "node:readline";
import type { InstanceSettings } from "../../../src/core/vrrp/settings.ts";
import { isOsFailure } from "../../../src/drivers/ffi.ts";
import { KernelAddresses } from "../../../src/drivers/kernel-addresses.ts";
import { LinkWatch } from "../../../src/drivers/link-watch.ts";

const [stateDirectory, leaseTable] = process.argv.slice(2);
const kernel = KernelAddresses.open({ stateDirectory: stateDirectory!, leaseTable: leaseTable! });
if (isOsFailure(kernel)) throw new Error(kernel.message);

const heard: unknown[] = [];
/** As in a configuration: also while they are not held. */
const virtual = new Set<string>();
const links = LinkWatch.open(
  { socket: kernel.socket, isVirtual: (address) => virtual.has(address) },
  {
    onInterface: (fact) => heard.push(fact),
    onAddressRemoved: (name, address) => {
      const instance = kernel.holderOf(name, address);
      // As the daemon does: the kernel does not say that it was us who removed an IPv6 address.
      if (instance !== undefined) heard.push({ removed: address, from: name, instance });
    },
  },
);
if (isOsFailure(links)) throw new Error(links.message);

let timer: NodeJS.Timeout | undefined;

const commands: Record<string, (...values: never[]) => unknown> = {
  opened: () => ({ lease: kernel.leaseFailure, cleanUp: kernel.cleanUpFailures }),
  prepare: (settings: InstanceSettings) => kernel.prepare(settings),
  prepareAddresses: (settings: InstanceSettings) => kernel.prepareAddresses(settings),
  acquire: (settings: InstanceSettings) => {
    for (const { address } of settings.addresses) virtual.add(address);
    return kernel.acquire(settings);
  },
  release: (instance: string) => kernel.release(instance),
  restore: (instance: string, address: string) => kernel.restore(instance, address),
  dismiss: (name: string) => kernel.dismiss(name),
  renew: (instance: string, durationMs: number) => kernel.renewLease(instance, durationMs),
  renewEvery: (instance: string, durationMs: number, everyMs: number) => {
    kernel.renewLease(instance, durationMs);
    timer = setInterval(() => kernel.renewLease(instance, durationMs), everyMs);
  },
  renewNoMore: () => clearInterval(timer),
  rebuilds: () => kernel.leaseRebuilds,
  watch: (name: string) => links.watch(name),
  heard: () => heard.splice(0),
  timeAcquire: (settings: InstanceSettings) => {
    const start = performance.now();
    const { failures } = kernel.acquire(settings);
    const acquired = performance.now();
    const left = kernel.release(settings.name);
    const end = performance.now();
    return { failures, left, acquireMs: acquired - start, releaseMs: end - acquired };
  },
  close: () => {
    links.close();
    return kernel.close();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, values } = JSON.parse(line) as { command: string; values: never[] };
  const result = commands[command]!(...values) ?? null;
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (command === "close") break;
}
process.exit(0);
