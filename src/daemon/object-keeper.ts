/**
 * Keeps routes, rules and static addresses in the kernel: what somebody else removed, or what the
 * kernel dropped with a link, is put back at once, and more and more slowly where that goes on.
 */

import { AddressGuard } from "../core/vrrp/address-guard.ts";
import type { RouterEvent } from "../core/vrrp/router-ports.ts";
import type { InstanceSettings, VrrpSettings } from "../core/vrrp/settings.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { isOsFailure } from "../drivers/ffi.ts";
import { STATIC, type Reinstated } from "../drivers/holding.ts";
import type { KernelAddresses } from "../drivers/kernel-addresses.ts";
import { describe } from "../drivers/kernel-object.ts";
import { RouteWatch } from "../drivers/route-watch.ts";

/** One for all: they are looked at together. */
const EVERYTHING = "everything";
/** What routes and rules get that name none: linux/rtnetlink.h, RTPROT_KEEPALIVED. */
const OWN_PROTOCOL = 18;

export interface ObjectKeeperPorts {
  readonly kernel: Pick<KernelAddresses, "socket" | "reinstate">;
  readonly report: (event: RouterEvent) => void;
  readonly trouble: (instance: string, reason: string) => void;
  /** After a look: something may have come back, or gone for good. */
  readonly looked: () => void;
}

export class ObjectKeeper {
  readonly #ports: ObjectKeeperPorts;
  readonly #guard = new AddressGuard();
  #protocols = "";
  #watch: RouteWatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Failures that were told and last. */
  #told: ReadonlySet<string> = new Set();

  constructor(ports: ObjectKeeperPorts) {
    this.#ports = ports;
  }

  /** Listens as far as these settings have something to lose. */
  adopt(settings: VrrpSettings): void {
    const protocols = protocolsOf(settings);
    const key = [...protocols].join(" ");
    if (key === this.#protocols) return;
    this.#watch?.close();
    this.#watch = undefined;
    this.#protocols = key;
    if (protocols.size === 0) return;
    const port = this.#ports.kernel.socket.portId;
    const watch = RouteWatch.open(protocols, port, () => this.lookSoon());
    if (isOsFailure(watch)) this.#ports.trouble("", watch.message);
    else this.#watch = watch;
  }

  /** Something of ours may be gone. */
  lookSoon(): void {
    if (this.#timer !== undefined) return;
    this.#guard.removed(monotonicMs(), EVERYTHING);
    const waitMs = Math.max(0, this.#guard.deadline - monotonicMs());
    this.#timer = setTimeout(() => this.#look(), waitMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watch?.close();
  }

  #look(): void {
    this.#timer = undefined;
    this.#guard.due(Infinity);
    const results = this.#ports.kernel.reinstate();
    const failed = new Set<string>();
    for (const result of results) {
      const instance = result.holder === STATIC ? "" : result.holder;
      if (result.failure === undefined) this.#ports.report(restored(instance, result));
      else {
        const { message } = result.failure;
        failed.add(message);
        if (!this.#told.has(message)) this.#ports.trouble(instance, message);
      }
    }
    this.#told = failed;
    this.#ports.looked();
    if (failed.size > 0) this.lookSoon();
  }
}

function restored(instance: string, { object }: Reinstated): RouterEvent {
  const kind = object.kind === "address" ? "address-restored" : "route-restored";
  return { instance, kind, reason: `${describe(object)} was gone and was put back` };
}

/** Empty: nothing of this kind is configured. */
function protocolsOf(settings: VrrpSettings): ReadonlySet<number> {
  const { instances, staticRoutes, staticRules } = settings;
  const of = ({ routes, rules }: Pick<InstanceSettings, "routes" | "rules">): number[] =>
    [...routes, ...rules].map(({ protocol }) => protocol ?? OWN_PROTOCOL);
  return new Set([...instances.flatMap(of), ...of({ routes: staticRoutes, rules: staticRules })]);
}
