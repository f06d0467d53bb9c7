/**
 * The router with its drivers: what they see becomes inputs, what it orders is performed.
 * Composition only.
 */

import { carriersOf } from "../core/vrrp/implied-tracks.ts";
import { identitiesOf, objectionTo, type Reign } from "../core/vrrp/reign.ts";
import { underOldNames } from "../core/vrrp/reload.ts";
import { Router } from "../core/vrrp/router.ts";
import type { ReceivedDatagram, RouterInput } from "../core/vrrp/router-ports.ts";
import type { InstanceSettings, VrrpSettings } from "../core/vrrp/settings.ts";
import type { Decision, RouterStatus } from "../core/vrrp/status.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { interfaceIndex, isOsFailure, type OsFailure } from "../drivers/ffi.ts";
import { KernelAddresses } from "../drivers/kernel-addresses.ts";
import { LinkWatch, type InterfaceFact } from "../drivers/link-watch.ts";
import { ReignRecord } from "../drivers/reign-record.ts";
import { addressesOf, macvlansOf } from "../drivers/wanted-objects.ts";
import { AddressAnnouncer } from "./address-announcer.ts";
import { AdvertSockets } from "./advert-sockets.ts";
import { FailureReports } from "./failure-reports.ts";
import { ObjectKeeper } from "./object-keeper.ts";
import { LinkNews } from "./link-news.ts";
import { perform, type Stage } from "./perform.ts";
import { Rehearsal } from "./rehearsal.ts";
import type { RoleModel } from "./role-protocol.ts";
import { RouterLoop } from "./router-loop.ts";
import type { RunDirectory } from "./run-directory.ts";
import { StaticGroups } from "./static-groups.ts";
import type { VrrpHub } from "./vrrp-hub.ts";

const OWNER_PRIORITY = 255;

export class VrrpNode {
  /** A predecessor's lease runs. */
  isHeir = false;
  readonly #hub: VrrpHub;
  readonly #reigns: ReignRecord;
  readonly #kernel: KernelAddresses;
  readonly #links: LinkWatch;
  readonly #sockets: AdvertSockets;
  readonly #announcer: AddressAnnouncer;
  readonly #failures: FailureReports;
  readonly #keeper: ObjectKeeper;
  readonly #groups = new StaticGroups();
  readonly #news: LinkNews;
  #instances = new Map<string, InstanceSettings>();
  /** Addresses that come and go: never somebody's own address. */
  #virtual: ReadonlySet<string> = new Set();
  #static: ReadonlySet<string> = new Set();
  #watched = new Set<string>();
  /** Of all instances: by name, the interface below. */
  #macvlans: ReadonlyMap<string, string> = new Map();
  #loop: RouterLoop | undefined;
  #rehearsal: Rehearsal | undefined;
  /** Facts that came before the router started. */
  #early: RouterInput[] = [];

  /**
   * Gets hold of the drivers. What a predecessor left in the kernel is removed, except where it
   * was master and may be gone on with: that is the router's to decide.
   */
  static open(directory: RunDirectory, hub: VrrpHub, settings: VrrpSettings): VrrpNode | OsFailure {
    const reigns = ReignRecord.open(directory.path);
    if (!(reigns instanceof ReignRecord)) return reigns;
    const identities = identitiesOf(settings);
    const now = monotonicMs();
    const heirs = reigns.found.filter((reign) => {
      return objectionTo(reign, identities.get(reign.instance) ?? "", now) === undefined;
    });
    const kernel = KernelAddresses.open({
      // Beside the sockets: the record is about one network namespace, and dies with the boot.
      stateDirectory: directory.path,
      leaseTable: `nines-${fingerprint(directory.path)}`,
      heritage: { settings, reigns: heirs },
    });
    if (isOsFailure(kernel)) return kernel;
    const node: { self?: VrrpNode } = {};
    const links = LinkWatch.open(
      {
        socket: kernel.socket,
        isVirtual: (address) => node.self?.isVirtual(address) ?? false,
        isStatic: (address) => node.self?.isStatic(address) ?? false,
      },
      {
        onInterface: (fact) => node.self?.interfaceChanged(fact),
        onAddressRemoved: (name_, address) => node.self?.addressRemoved(name_, address),
      },
    );
    if (isOsFailure(links)) {
      kernel.close();
      return links;
    }
    node.self = new VrrpNode(hub, reigns, kernel, links);
    node.self.isHeir = heirs.length > 0;
    return node.self;
  }

  private constructor(
    hub: VrrpHub,
    reigns: ReignRecord,
    kernel: KernelAddresses,
    links: LinkWatch,
  ) {
    this.#hub = hub;
    this.#reigns = reigns;
    this.#kernel = kernel;
    this.#links = links;
    this.#failures = new FailureReports((event) => hub.report(event));
    const trouble = (reason: string): void => this.#trouble("", reason);
    const heard = (datagram: ReceivedDatagram): void => {
      this.feed({ type: "datagram-received", datagram, wallMs: wallMs() });
    };
    this.#sockets = new AdvertSockets(heard, trouble);
    this.#news = new LinkNews({
      tell: ({ index: _index, ...fact }) => this.feed({ type: "interface-changed", ...fact }),
      trouble,
    });
    this.#announcer = new AddressAnnouncer(links, {
      claimed: (claim) => this.feed({ type: "address-claimed", ...claim }),
      heard,
      trouble,
    });
    this.#keeper = new ObjectKeeper({
      kernel,
      report: (event) => hub.report(event),
      trouble: (instance, reason) => this.#trouble(instance, reason),
      looked: () => this.#tellGroups(),
    });
    for (const failure of kernel.cleanUpFailures) trouble(failure.message);
  }

  isVirtual(address: string): boolean {
    return this.#virtual.has(address);
  }

  isStatic(address: string): boolean {
    return this.#static.has(address);
  }

  /** The first configuration. */
  start(model: RoleModel): void {
    const settings = model.vrrp;
    this.#tellStrangers(settings);
    this.#adopt(settings);
    this.#news.adopt(model.interfaceDelays, model.polledLinks ?? []);
    this.#holdStatic(settings);
    const stage = this.#stage();
    const loop = new RouterLoop(
      new Router(settings),
      (action) => perform(action, stage),
      (everything) => (everything ? this.#sockets.read() : this.#sockets.readGathered()),
    );
    // Told early, so that a rehearsal can hear them too.
    this.#tellInterfaces(settings);
    const early = this.#early.splice(0);
    const heritage = this.#heritage();
    // Who goes on as master has no time to rehearse, and no need: it will not take over.
    if (heritage.length === 0) {
      this.#rehearsal = new Rehearsal(settings, early, stage);
      this.#rehearsal.thoroughly();
    }
    this.#loop = loop;
    for (const input of early) loop.feed(input);
    loop.feed({ type: "started", wallMs: wallMs(), reigns: heritage });
  }

  /** What the predecessor wrote down, as far as the kernel bears it out. */
  #heritage(): readonly Reign[] {
    return this.#reigns.found.map((reign) => {
      const kernelMs = this.#kernel.leaseUntilMs(reign.durationMs);
      return { ...reign, leaseUntilMs: Math.min(reign.leaseUntilMs, kernelMs) };
    });
  }

  /** A changed configuration; what is equal is not touched. */
  reconfigure(model: RoleModel): void {
    const before = this.#instances;
    const settings = model.vrrp;
    this.#adopt(settings);
    this.#news.adopt(model.interfaceDelays, model.polledLinks ?? []);
    this.#holdStatic(settings);
    this.#tellInterfaces(settings);
    // What is renamed is so later, with all else that the machine then orders.
    for (const one of underOldNames([...before.values()], settings.instances)) {
      for (const { message } of this.#kernel.forgo(one)) this.#trouble(one.name, message);
    }
    this.#loop?.reconfigure(settings);
    this.#rehearsal?.reconfigure(settings);
    // Only now: those that went have sent their last advert.
    this.#sockets.keepOnly(settings.instances);
    if (model.fifos.writeStatesOnReload) this.#writeStates();
    const kept = new Set([...this.#instances.values()].flatMap(macvlanNames));
    for (const [instance, old] of before) {
      for (const name of macvlanNames(old).filter((one) => !kept.has(one))) {
        const failure = this.#kernel.dismiss(name);
        if (failure !== undefined) this.#trouble(instance, failure.message);
      }
    }
  }

  /** `fifo_write_vrrp_states_on_reload`. */
  #writeStates(): void {
    const { instances = [], groups = [] } = this.status() ?? {};
    const tell = (scope: "INSTANCE" | "GROUP", name: string, state: string, pri: number): void => {
      if (state !== "MASTER" && state !== "BACKUP" && state !== "FAULT") return;
      this.#hub.notify({ type: "notify", scope, name, state, priority: pri, fifoOnly: true });
    };
    for (const one of instances) tell("INSTANCE", one.name, one.state, one.effectivePriority);
    for (const { name, state, members } of groups) {
      const its = instances.filter((one) => members.includes(one.name));
      tell("GROUP", name, state, Math.max(...its.map((one) => one.effectivePriority)));
    }
  }

  feed(input: RouterInput): void {
    if (this.#loop === undefined) this.#early.push(input);
    else this.#loop.feed(input);
  }

  /** Resign, release, remove everything of ours from the kernel. */
  stop(reason: string): void {
    this.feed({ type: "stop-requested", reason });
    this.#loop?.close();
    this.#news.close();
    this.#keeper.close();
    this.#announcer.close();
    this.#sockets.close();
    this.#links.close();
    for (const failure of this.#kernel.close()) this.#trouble("", failure.message);
    this.#reigns.close();
  }

  status(): RouterStatus | undefined {
    return this.#loop?.router.status(monotonicMs());
  }

  decisions(instance: string): readonly Decision[] {
    return this.#loop?.router.decisions(instance) ?? [];
  }

  limitations(): readonly string[] {
    const { leaseFailure } = this.#kernel;
    if (leaseFailure === undefined) return [];
    return [`${leaseFailure.message}; addresses of a hung process lapse after whole seconds only`];
  }

  interfaceChanged(fact: InterfaceFact): void {
    const base = this.#macvlans.get(fact.interface);
    if (base !== undefined) return this.#macvlanChanged(fact, base);
    if (fact.up) {
      this.#prepareOn(fact.interface);
      this.#sockets.rejoin(fact.interface);
      // Routes go with the link and do not come back with it.
      this.#keeper.lookSoon();
    }
    this.#news.hear(fact);
  }

  /** Somebody took one of ours away, or set it down: it comes back as long as there is one below. */
  #macvlanChanged(fact: InterfaceFact, base: string): void {
    // Made anew already: its own news follow.
    if (!fact.exists && interfaceIndex(fact.interface) >= 0) return;
    this.#news.hear(fact);
    if (fact.up || !this.#links.fact(base).up || interfaceIndex(base) < 0) return;
    this.#prepareOn(base);
    for (const instance of this.#instances.values()) {
      if (macvlanNames(instance).includes(fact.interface)) this.#announcer.renew(instance);
    }
  }

  addressRemoved(interfaceName: string, address: string): void {
    const instance = this.#kernel.holderOf(interfaceName, address);
    if (instance !== undefined) {
      if (this.#kernel.dropPrepared(instance)) return;
      this.feed({ type: "address-removed", instance, address });
    } else if (this.isStatic(address)) this.#keeper.lookSoon();
  }

  /** What a killed keepalived or a network manager put there answers also while we are backup. */
  #tellStrangers({ instances }: VrrpSettings): void {
    for (const its of instances) {
      if (its.priority === OWNER_PRIORITY) continue;
      for (const { address, interface: name, prefixLength, tracked } of addressesOf(its)) {
        // Whose the others are is not known.
        if (!tracked || !this.#links.has(name, address)) continue;
        if (this.#kernel.holderOf(name, address) !== undefined) continue;
        const what = `${address} is on ${name} already, by another program: it answers here always`;
        this.#trouble(its.name, `${what} - ip address del ${address}/${prefixLength} dev ${name}`);
      }
    }
  }

  /** Everything that must be there before the router speaks for these settings. */
  #adopt(settings: VrrpSettings): void {
    this.#instances = new Map(settings.instances.map((instance) => [instance.name, instance]));
    const intervals = settings.instances.map((instance) => instance.advertIntervalMs);
    this.#sockets.setShortestInterval(Math.min(...intervals));
    this.#virtual = new Set(settings.instances.flatMap(virtualAddresses));
    for (const name of new Set(settings.instances.flatMap(bases))) this.#prepareOn(name);
  }

  /** VMAC interfaces and sockets of the instances on an interface, as far as it is there. */
  #prepareOn(interfaceName: string): void {
    if (!this.#links.fact(interfaceName).exists) return;
    for (const instance of this.#instances.values()) {
      if (!bases(instance).includes(interfaceName)) continue;
      const failures = this.#kernel.prepare(instance);
      for (const { message } of failures) this.#trouble(instance.name, message);
      this.#sockets.open(instance);
    }
  }

  #holdStatic(settings: VrrpSettings): void {
    for (const { message } of this.#kernel.acquireStatic(settings).failures) {
      this.#trouble("", message);
    }
    this.#static = new Set(settings.staticAddresses.map(({ address }) => address));
    this.#groups.adopt(settings);
    this.#tellGroups();
    this.#keeper.adopt(settings);
    // What the kernel refused now it may take later.
    if (this.#kernel.staticMissing.length > 0) this.#keeper.lookSoon();
  }

  #tellGroups(): void {
    for (const input of this.#groups.news(this.#kernel.staticMissing)) this.feed(input);
  }

  #tellInterfaces(settings: VrrpSettings): void {
    const names = new Set(interfacesOf(settings));
    const macvlans = settings.instances.flatMap(macvlansOf);
    this.#macvlans = new Map(macvlans.map(({ name, base }) => [name, base]));
    const watched = new Set([...names, ...this.#macvlans.keys()]);
    for (const gone of this.#watched.difference(watched)) this.#links.unwatch(gone);
    for (const name of watched) {
      const fact = this.#links.watch(name);
      // A macvlan that was made just now is not known yet, and nobody took it away.
      if (names.has(name) && (fact.exists || !this.#macvlans.has(name))) this.#news.hear(fact);
    }
    this.#watched = watched;
  }

  #stage(): Stage {
    const instances = (): ReadonlyMap<string, InstanceSettings> => this.#instances;
    return {
      kernel: this.#kernel,
      reigns: this.#reigns,
      sockets: this.#sockets,
      announcer: this.#announcer,
      hub: this.#hub,
      rehearse: () => this.#rehearsal?.briefly(),
      get instances() {
        return instances();
      },
      feed: (input) => this.feed(input),
      trouble: (instance, reason) => this.#trouble(instance, reason),
    };
  }

  #trouble(instance: string, reason: string): void {
    this.#failures.add(monotonicMs(), instance, reason);
  }
}

/** FNV-1a, 32 bits, hexadecimal: tells the tables of several nodes in one namespace apart. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** The owner's addresses are its own all the time, and may be its primary one. */
function virtualAddresses(instance: InstanceSettings): readonly string[] {
  if (instance.priority === OWNER_PRIORITY) return [];
  return [...instance.addresses, ...instance.excludedAddresses].map(({ address }) => address);
}

/** The interface of the adverts, and those below its macvlans. */
function bases(instance: InstanceSettings): readonly string[] {
  return [instance.interface, ...macvlansOf(instance).map(({ base }) => base)];
}

function macvlanNames(instance: InstanceSettings): readonly string[] {
  return macvlansOf(instance).map(({ name }) => name);
}

/** Tracked ones, and those whose routes and static addresses have to come back. */
function interfacesOf(settings: VrrpSettings): readonly string[] {
  const { instances, groups, staticAddresses, staticRoutes } = settings;
  const tracks = [...instances, ...groups].flatMap((one) => one.tracks);
  const tracked = tracks.filter((t) => t.kind === "interface").map((t) => t.name);
  const routes = [...staticRoutes, ...instances.flatMap((instance) => instance.routes)];
  const used = [...staticAddresses, ...routes.flatMap((r) => [r, ...(r.paths ?? [])])];
  return [
    ...instances.flatMap((instance) => [...bases(instance), ...carriersOf(instance)]),
    ...tracked,
    ...used.flatMap((one) => one.interface ?? []),
  ];
}
