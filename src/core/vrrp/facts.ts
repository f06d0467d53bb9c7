/** What the router was told about the world: interfaces, tracked things, witnesses. */

import type { RouterInput } from "./router-ports.ts";
import type { InstanceSettings, TrackReference } from "./settings.ts";
import type { TrackVerdict } from "./track-sum.ts";

export type InterfaceFact = Extract<RouterInput, { type: "interface-changed" }>;
type TrackFact = Extract<RouterInput, { type: "track-changed" }>;

/** Facts kept; a configuration names far fewer things. */
const MAX_FACTS = 4096;

export class Facts {
  readonly #interfaces = new Map<string, InterfaceFact>();
  readonly #tracks = new Map<string, TrackFact>();
  readonly #witnesses = new Map<string, boolean>();

  interfaceChanged(fact: InterfaceFact): void {
    keep(this.#interfaces, fact.interface, fact);
  }

  trackChanged(fact: TrackFact): void {
    keep(this.#tracks, `${fact.kind} ${fact.name}`, fact);
  }

  witnessChanged(address: string, reachable: boolean): void {
    keep(this.#witnesses, address, reachable);
  }

  witnessStatus(addresses: readonly string[]): { address: string; reachable: boolean }[] {
    return addresses.map((address) => ({
      address,
      reachable: this.#witnesses.get(address) ?? false,
    }));
  }

  /** The address that the instance sends from, when it has one. */
  sourceOf(settings: InstanceSettings): string | undefined {
    if (settings.sourceAddress !== undefined) return settings.sourceAddress;
    const fact = this.#interfaces.get(settings.interface);
    return settings.family === "ipv4" ? fact?.primaryIpv4 : fact?.linkLocalIpv6;
  }

  verdictOf(settings: InstanceSettings, reference: TrackReference): TrackVerdict {
    switch (reference.kind) {
      case "interface":
        return this.#interfaceVerdict(reference.name);
      case "source":
        return this.#sourceVerdict(settings);
      case "witness":
        return this.#witnessVerdict(settings.witnesses);
      case "script":
      case "process":
      case "file":
      case "bfd":
      case "static":
        return this.#trackVerdict(reference);
    }
  }

  #interfaceVerdict(name: string): TrackVerdict {
    const fact = this.#interfaces.get(name);
    if (fact === undefined) return pending(`interface ${name} was not looked at yet`);
    if (!fact.exists) return verdict(false, `interface ${name} does not exist`);
    return verdict(fact.up, `interface ${name} is ${fact.up ? "up" : "down"}`);
  }

  #sourceVerdict(settings: InstanceSettings): TrackVerdict {
    const source = this.sourceOf(settings);
    const { interface: name, family, vmac } = settings;
    const fact = this.#interfaces.get(name);
    if (vmac !== undefined && this.#interfaces.get(vmac.name)?.exists === false) {
      return verdict(false, `interface ${vmac.name}, which has the virtual MAC, was taken away`);
    }
    const isTracked = settings.trackSource === true && settings.sourceAddress !== undefined;
    if (source !== undefined && !isTracked) return verdict(true, `sends from ${source}`);
    if (fact === undefined) return pending(`interface ${name} was not looked at yet`);
    if (source !== undefined) {
      const isThere = fact.addresses?.includes(source) ?? true;
      if (isThere) return verdict(true, `sends from ${source}`);
      return verdict(false, `interface ${name} does not have ${source} to send from`);
    }
    const wanted = family === "ipv4" ? "IPv4 address" : "link-local IPv6 address";
    return verdict(false, `interface ${name} has no ${wanted} to send from`);
  }

  #witnessVerdict(witnesses: readonly string[]): TrackVerdict {
    const known = witnesses.filter((w) => this.#witnesses.has(w));
    const reachable = known.filter((w) => this.#witnesses.get(w) === true);
    if (reachable.length > 0) return verdict(true, `witness ${reachable.join(", ")} answers`);
    if (known.length < witnesses.length) return pending("no witness was asked yet");
    return verdict(false, `no witness answers (${witnesses.join(", ")})`);
  }

  #trackVerdict(reference: TrackReference): TrackVerdict {
    const fact = this.#tracks.get(`${reference.kind} ${reference.name}`);
    if (fact === undefined) {
      return pending(`${reference.kind} ${reference.name} was not looked at yet`);
    }
    return { ok: fact.ok, pending: false, value: fact.value, reason: fact.reason };
  }
}

/** A full memory still learns the news of what it knows. */
function keep<T>(facts: Map<string, T>, name: string, fact: T): void {
  if (facts.size < MAX_FACTS || facts.has(name)) facts.set(name, fact);
}

function verdict(ok: boolean, reason: string): TrackVerdict {
  return { ok, pending: false, value: 0, reason };
}

function pending(reason: string): TrackVerdict {
  return { ok: false, pending: true, value: 0, reason };
}
