/** One router in BACKUP that hears what a test gives it, and says what it thought of it. */

import { Router } from "../../src/core/vrrp/router.ts";
import type { ReceivedDatagram, RouterAction } from "../../src/core/vrrp/router-ports.ts";
import type { InstanceSettings } from "../../src/core/vrrp/settings.ts";
import type { InstanceStatus } from "../../src/core/vrrp/status.ts";
import { node } from "./vrrp-settings.ts";

/** Its own addresses; the last host of the documentation nets is nobody else. */
export const LISTENER_IPV4 = "192.0.2.254";
export const LISTENER_IPV6 = "fe80::254";

export class Listener {
  readonly router: Router;
  now: number = 0;
  wallMs: number;

  constructor(settings: InstanceSettings, wallMs = 1_800_000_000_000) {
    this.wallMs = wallMs;
    this.router = new Router(node([settings]));
    this.router.step(0, { type: "started", wallMs });
    this.router.step(0, {
      type: "interface-changed",
      interface: settings.interface,
      exists: true,
      up: true,
      primaryIpv4: LISTENER_IPV4,
      linkLocalIpv6: LISTENER_IPV6,
    });
  }

  /** The reason why the datagram was not believed, or undefined. */
  hear(datagram: ReceivedDatagram): string | undefined {
    const before = this.router.status(this.now).rejected;
    this.give(datagram);
    const after = this.router.status(this.now).rejected;
    return Object.keys(after).find((reason) => after[reason] !== before[reason]);
  }

  give(datagram: ReceivedDatagram): readonly RouterAction[] {
    const { now, wallMs } = this;
    return this.router.step(now, { type: "datagram-received", datagram, wallMs });
  }

  pass(ms: number): void {
    this.now += ms;
    this.wallMs += ms;
  }

  /** Goes on to BACKUP's end: it is master afterwards. */
  takeOver(): void {
    this.pass(this.router.deadline - this.now);
    this.router.step(this.now, { type: "woken", wallMs: this.wallMs });
  }

  get status(): InstanceStatus {
    return this.router.status(this.now).instances[0]!;
  }

  /** Everything that a datagram must not change when it is not believed. */
  get account(): string {
    const { counters: _, ...rest } = this.status;
    return JSON.stringify({ ...rest, deadline: this.router.deadline });
  }
}
