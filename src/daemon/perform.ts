/**
 * Actions of the router, carried out. Decides nothing: every action is one call of a driver, and
 * what goes wrong becomes a fact for the router or a report for the operator.
 */

import type { RouterAction, RouterInput } from "../core/vrrp/router-ports.ts";
import type { InstanceSettings } from "../core/vrrp/settings.ts";
import { ENODEV } from "../drivers/ffi.ts";
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
  /** What came of an order, for the router. */
  readonly feed: (input: RouterInput) => void;
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
    case "rename-instance":
      stage.reigns.end(action.instance);
      stage.announcer.forget(action.instance);
      return kernel.rename(action.instance, action.name);
    case "restore-address":
      return restore(action.instance, action.address, stage);
    case "announce":
      stage.announcer.announce(action.instance, action.repeat);
      if (action.asks === true) stage.announcer.ask(action.instance);
      return;
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
    // Without a route or a rule there may be service.
    if (call.startsWith("add address")) stage.feed(refusal(name, message));
    else stage.trouble(name, message);
  }
}

type RestoreStage = Pick<Stage, "feed" | "trouble"> & {
  readonly kernel: Pick<KernelAddresses, "restore">;
};

export function restore(name: string, address: string, stage: RestoreStage): void {
  const { kernel, feed, trouble } = stage;
  const failure = kernel.restore(name, address);
  if (failure === undefined) feed({ type: "address-restored", instance: name, address });
  // The end of an interface takes its addresses first, and is told by itself.
  else if (failure.errno === ENODEV) trouble(name, failure.message);
  else feed(refusal(name, failure.message));
}

/** Without an address there is no service: the router decides what that means. */
function refusal(instance: string, reason: string): RouterInput {
  return { type: "acquire-failed", instance, reason };
}
