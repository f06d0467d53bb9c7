import type { Reign } from "../core/vrrp/reign.ts";

/**
 * What a host's kernel remembers whatever its processes do: addresses, leases, carrier. A killed
 * or stopped daemon changes nothing here; only time (a lease lapses), a restart (which removes
 * what the dead process had recorded as its own) or a power cut does.
 */
export class Kernel {
  /** Carrier and administrative state per segment. */
  readonly linkUp: boolean[];
  /** While true, adding an address fails. */
  refusesAddresses = false;
  readonly #instances = new Map<string, Holding>();
  /** The process's own notes, in a file that outlives it. */
  readonly #reigns = new Map<string, Reign>();

  constructor(segments: number) {
    this.linkUp = Array.from({ length: segments }, () => true);
  }

  /** Puts addresses on an interface where they answer nobody before the lease is renewed. */
  prepare(instance: string, segment: number, addresses: readonly string[]): void {
    if (this.#instances.has(instance)) return;
    if (this.add(instance, segment, addresses)) this.#holding(instance, segment).shut = true;
  }

  /** Prepared, and neither renewed nor removed since. */
  isPrepared(instance: string): boolean {
    return this.#instances.get(instance)?.shut === true;
  }

  /** Puts addresses on an interface; false when the kernel will not. */
  add(instance: string, segment: number, addresses: readonly string[]): boolean {
    if (this.refusesAddresses) return false;
    const holding = this.#holding(instance, segment);
    for (const address of addresses) holding.addresses.add(address);
    return true;
  }

  /** The note goes first: who dies in between must not be gone on with. */
  removeAll(instance: string): void {
    this.#reigns.delete(instance);
    this.#instances.delete(instance);
  }

  /** A stranger's `ip addr del`. False: it was not there. */
  removeOne(instance: string, address: string): boolean {
    return this.#instances.get(instance)?.addresses.delete(address) ?? false;
  }

  /** From `untilLocalMs` on the instance's addresses neither answer nor accept packets. */
  renewLease(instance: string, segment: number, untilLocalMs: number): void {
    const holding = this.#holding(instance, segment);
    holding.leaseUntilMs = untilLocalMs;
    holding.shut = false;
  }

  noteReign(reign: Reign): void {
    this.#reigns.set(reign.instance, reign);
  }

  /** Masters that have not given up, as far as the notes say. */
  get reigns(): readonly Reign[] {
    return [...this.#reigns.values()];
  }

  /** Local time at which the lease lapses; Infinity: no lease was ever set. */
  leaseUntil(instance: string): number {
    return this.#instances.get(instance)?.leaseUntilMs ?? Infinity;
  }

  /** Prepared ones do not count. */
  holds(instance: string, address: string): boolean {
    return !this.isPrepared(instance) && this.#has(instance, address);
  }

  holdsAny(instance: string): boolean {
    return !this.isPrepared(instance) && (this.#instances.get(instance)?.addresses.size ?? 0) > 0;
  }

  /** Present, link up, lease running: a client that asks gets an answer. */
  answers(instance: string, address: string, localMs: number): boolean {
    const holding = this.#instances.get(instance);
    return (
      holding !== undefined &&
      !holding.shut &&
      holding.addresses.has(address) &&
      holding.leaseUntilMs > localMs &&
      this.linkUp[holding.segment] === true
    );
  }

  /** The instance on this segment that answers for `address` now, if any. */
  answering(segment: number, address: string, localMs: number): string | undefined {
    for (const [instance, holding] of this.#instances) {
      if (holding.segment === segment && this.answers(instance, address, localMs)) return instance;
    }
    return undefined;
  }

  /** The host lost power. */
  forget(): void {
    this.#instances.clear();
    this.#reigns.clear();
    this.refusesAddresses = false;
  }

  /** A fresh daemon clears what its predecessor had recorded; the record is exact by design. */
  removeRecorded(except: readonly string[]): void {
    for (const instance of this.#instances.keys()) {
      if (!except.includes(instance)) this.removeAll(instance);
    }
  }

  #has(instance: string, address: string): boolean {
    return this.#instances.get(instance)?.addresses.has(address) ?? false;
  }

  #holding(instance: string, segment: number): Holding {
    let holding = this.#instances.get(instance);
    if (holding === undefined) {
      holding = { segment, addresses: new Set(), leaseUntilMs: Infinity, shut: false };
      this.#instances.set(instance, holding);
    }
    return holding;
  }
}

interface Holding {
  readonly segment: number;
  readonly addresses: Set<string>;
  leaseUntilMs: number;
  /** Prepared: nothing answers, whatever the lease says. */
  shut: boolean;
}
