/**
 * What the router is told about interfaces: what the kernel says, after the patience that the
 * operator asked for, and with the word of the driver where the kernel's is not to be relied on.
 */

import type { InterfaceDelay, PolledLink } from "../config/model.ts";
import { LinkPatience } from "../core/vrrp/link-patience.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { LinkBeat } from "../drivers/link-beat.ts";
import type { InterfaceFact } from "../drivers/link-watch.ts";

/** As often as keepalived asks. */
const POLL_EVERY_MS = 1000;

export interface LinkNewsListener {
  readonly tell: (fact: InterfaceFact) => void;
  readonly trouble: (reason: string) => void;
}

export class LinkNews {
  readonly #listener: LinkNewsListener;
  readonly #patience = new LinkPatience();
  /** The last word of the kernel. */
  readonly #facts = new Map<string, InterfaceFact>();
  #polled = new Map<string, PolledLink>();
  /** What drivers said; absent: nobody asks, or there was no answer. */
  readonly #links = new Map<string, boolean>();
  readonly #silent = new Set<string>();
  #beat: LinkBeat | undefined;
  #polling: NodeJS.Timeout | undefined;
  #waiting: NodeJS.Timeout | undefined;

  constructor(listener: LinkNewsListener) {
    this.#listener = listener;
  }

  /** A changed configuration; every interface is heard about again afterwards. */
  adopt(delays: readonly InterfaceDelay[], polled: readonly PolledLink[]): void {
    this.#patience.adopt(delays);
    this.#polled = new Map(polled.map((one) => [one.interface, one]));
    for (const name of this.#links.keys()) if (!this.#polled.has(name)) this.#links.delete(name);
    clearInterval(this.#polling);
    this.#polling = undefined;
    if (polled.length === 0) return;
    if (this.#beat === undefined) {
      const beat = LinkBeat.open();
      if (beat instanceof LinkBeat) this.#beat = beat;
      else this.#listener.trouble(beat.message);
    }
    this.#polling = setInterval(() => this.#poll(), POLL_EVERY_MS);
  }

  hear(fact: InterfaceFact): void {
    const { interface: name } = fact;
    this.#facts.set(name, fact);
    if (fact.exists) this.#ask(name);
    else this.#patience.forget(name);
    this.#tell(fact);
  }

  close(): void {
    clearInterval(this.#polling);
    clearTimeout(this.#waiting);
    this.#beat?.close();
    this.#beat = undefined;
  }

  #tell(fact: InterfaceFact): void {
    const { interface: name } = fact;
    const raw = fact.up && this.#links.get(name) !== false;
    const up = fact.exists && this.#patience.hear(monotonicMs(), name, raw);
    this.#listener.tell({ ...fact, up });
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#waiting);
    const { deadline } = this.#patience;
    if (deadline === Infinity) return;
    const inMs = Math.max(0, Math.ceil(deadline - monotonicMs()));
    this.#waiting = setTimeout(() => this.#believe(), inMs);
  }

  #believe(): void {
    for (const name of this.#patience.due(monotonicMs())) this.#tellAgain(name);
    this.#wait();
  }

  #poll(): void {
    for (const name of this.#polled.keys()) {
      if (this.#facts.get(name)?.exists !== true) continue;
      const before = this.#links.get(name);
      this.#ask(name);
      if (this.#links.get(name) !== before) this.#tellAgain(name);
    }
  }

  #tellAgain(name: string): void {
    const fact = this.#facts.get(name);
    if (fact !== undefined) this.#tell(fact);
  }

  #ask(name: string): void {
    const polled = this.#polled.get(name);
    if (polled === undefined || this.#beat === undefined) return;
    const link = this.#beat.hasLink(name, polled.method);
    if (typeof link === "boolean") {
      this.#links.set(name, link);
      return;
    }
    this.#links.delete(name);
    if (this.#silent.has(name)) return;
    this.#silent.add(name);
    this.#listener.trouble(`${link.message}; the kernel is believed instead`);
  }
}
