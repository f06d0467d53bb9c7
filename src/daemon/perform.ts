/**
 * Actions of the router, carried out. Decides nothing: every action is one call of a driver, and
 * what goes wrong becomes a fact for the router or a report for the operator.
 */

import type { RouterAction } from "../core/vrrp/router-ports.ts";
import type { InstanceSettings } from "../core/vrrp/settings.ts";
import type { KernelAddresses } from "../drivers/kernel-addresses.ts";
import type { ReignRecord } from "../drivers/reign-record.ts";
import { unreachable } from "../lib/assert.ts";
import type { AddressAnnouncer } from "./address-announcer.ts";
import type { AdvertSockets } from "./advert-sockets.ts";
import type { VrrpHub } from "./vrrp-hub.ts";

/** What the actions work on. */
export interface Stage {
  readonly kernel: KernelAddresses;
  readonly reigns: ReignRecord;
  readonly sockets: AdvertSockets;
  readonly announcer: AddressAnnouncer;
  readonly hub: VrrpHub;
  /** A takeover is near: see `Rehearsal`. */
  readonly rehearse: () => void;
  /** Settings by name, of the configuration in force. */
  readonly instances: ReadonlyMap<string, InstanceSettings>;
  /** The kernel refused an address: the router decides what that means. */
  readonly acquireFailed: (instance: string, reason: string) => void;
  readonly trouble: (instance: string, reason: string) => void;
}

export function perform(action: RouterAction, stage: Stage): void {
  const { kernel, trouble } = stage;
  switch (action.type) {
    case "send-datagram": {
      const failure = stage.sockets.send(action);
      if (failure !== undefined) trouble(action.instance, failure);
      return;
    }
    case "renew-lease": {
      const failure = kernel.renewLease(action.instance, action.durationMs);
      if (failure !== undefined) trouble(action.instance, failure.message);
      else stage.reigns.note(action);
      return;
    }
    case "prepare-addresses":
      return prepare(action.instance, stage);
    case "acquire-addresses":
      return acquire(action.instance, stage);
    case "release-addresses":
      // First of all: who dies in between must not be gone on with.
      stage.reigns.end(action.instance);
      stage.announcer.forget(action.instance);
      for (const failure of kernel.release(action.instance)) {
        trouble(action.instance, failure.message);
      }
      return;
    case "restore-address": {
      const failure = kernel.restore(action.instance, action.address);
      if (failure !== undefined) trouble(action.instance, failure.message);
      return;
    }
    case "announce":
      return stage.announcer.announce(action.instance, action.repeat);
    case "notify":
      return stage.hub.notify(action);
    case "report":
      return stage.hub.report(action.event);
    default:
      return unreachable(action);
  }
}

function prepare(name: string, { instances, kernel, announcer, rehearse }: Stage): void {
  const settings = instances.get(name);
  if (settings === undefined) return;
  // What could not be prepared is tried again, and told of, when it is acquired.
  if (kernel.prepareAddresses(settings)) announcer.prepare(settings);
  rehearse();
}

function acquire(name: string, stage: Stage): void {
  const settings = stage.instances.get(name);
  if (settings === undefined) return;
  const { failures, foreign } = stage.kernel.acquire(settings);
  stage.announcer.hold(settings);
  for (const what of foreign) {
    stage.trouble(name, `${what} was there before us: used, and left there afterwards`);
  }
  for (const { call, message } of failures) {
    // Without an address there is no service; without a route or a rule there may be.
    if (call.startsWith("add address")) stage.acquireFailed(name, message);
    else stage.trouble(name, message);
  }
}
