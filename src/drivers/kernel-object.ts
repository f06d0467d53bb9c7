/** What Nines puts into the kernel, one form for all of it: how to add, remove and name it. */

import type { RouteSettings, RuleSettings, VirtualAddress } from "../core/vrrp/settings.ts";
import { EADDRNOTAVAIL, ENODEV, ENOENT, ESRCH, interfaceIndex } from "./ffi.ts";
import type { OsFailure } from "./ffi.ts";
import { beginAddress, beginAddressDeletion } from "./netlink/addresses.ts";
import { beginRoute, beginRouteDeletion } from "./netlink/routes.ts";
import { beginRule, beginRuleDeletion } from "./netlink/rules.ts";
import type { NetlinkSocket } from "./netlink/socket.ts";

export type KernelObject =
  | { readonly kind: "address"; readonly address: VirtualAddress }
  | { readonly kind: "route"; readonly route: RouteSettings }
  | { readonly kind: "rule"; readonly rule: RuleSettings };

type Placed = Exclude<KernelObject, { kind: "rule" }>;

/** How an address is put: see `beginAddress`. */
export interface Addition {
  readonly validLifetimeS: number;
  readonly mode: "add" | "renew";
}

/** Messages for one send. Interfaces are looked up once each. */
export class KernelBatch {
  readonly #socket: NetlinkSocket;
  readonly #indexes = new Map<string, number>();

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** Adds one message; -ENODEV: none, as the interface does not exist. */
  add(object: KernelObject, addition: Addition): number {
    if (object.kind === "rule") {
      beginRule(this.#socket, object.rule);
      return 0;
    }
    const missing = missingOf(object, this.#indexOf);
    if (missing < 0) return missing;
    for (const name of interfacesOf(object)) this.#socket.places.set(name, this.#indexOf(name));
    if (object.kind === "route") beginRoute(this.#socket, object.route, this.#indexOf);
    else {
      const index = this.#indexOf(object.address.interface);
      beginAddress(this.#socket, index, object.address, addition);
    }
    return 0;
  }

  /** Adds one message; -ENODEV: none, as there is nothing to be removed. */
  remove(object: KernelObject): number {
    if (object.kind === "rule") {
      beginRuleDeletion(this.#socket, object.rule);
      return 0;
    }
    const missing = missingOf(object, this.#placeOf);
    if (missing < 0) return missing;
    if (object.kind === "route") beginRouteDeletion(this.#socket, object.route, this.#placeOf);
    else {
      const index = this.#placeOf(object.address.interface);
      beginAddressDeletion(this.#socket, index, object.address);
    }
    return 0;
  }

  readonly #indexOf = (name: string): number => {
    let index = this.#indexes.get(name);
    if (index === undefined) {
      index = interfaceIndex(name);
      this.#indexes.set(name, index);
    }
    return index;
  };

  /** Where it was put, under whatever name that interface goes now. */
  readonly #placeOf = (name: string): number =>
    this.#socket.places.get(name) ?? this.#indexOf(name);
}

/** -ENODEV where an interface that it needs is not there, else 0. */
function missingOf(object: Placed, indexOf: (name: string) => number): number {
  return (
    interfacesOf(object)
      .map(indexOf)
      .find((index) => index < 0) ?? 0
  );
}

function interfacesOf(object: Placed): readonly string[] {
  if (object.kind === "address") return [object.address.interface];
  return [object.route, ...(object.route.paths ?? [])].flatMap((path) => path.interface ?? []);
}

/** A removal that failed because there was nothing left to remove did what it should. */
export function wasAbsent(status: number): boolean {
  return status === -EADDRNOTAVAIL || status === -ESRCH || status === -ENOENT || status === -ENODEV;
}

/** In the words of ip(8). */
export function describe(object: KernelObject): string {
  if (object.kind === "address") {
    const { address, prefixLength, interface: name } = object.address;
    return `address ${address}/${prefixLength} on ${name}`;
  }
  if (object.kind === "route") {
    const { destination, prefixLength } = object.route;
    const ways = [object.route, ...(object.route.paths ?? [])].map(
      ({ via, interface: name }) =>
        `${via === undefined ? "" : ` via ${via}`}${name === undefined ? "" : ` dev ${name}`}`,
    );
    return `route ${destination}/${prefixLength}${ways.join("")}`;
  }
  const { from, to, table } = object.rule;
  const source = from === undefined ? "all" : `${from.address}/${from.prefixLength}`;
  const target = to === undefined ? "" : ` to ${to.address}/${to.prefixLength}`;
  const does = object.rule.action ?? `lookup ${table}`;
  return `rule ${object.rule.inverted === true ? "not " : ""}from ${source}${target} ${does}`;
}

/** The `track_group` of a static object. */
export function trackGroupOf(object: KernelObject): string | undefined {
  if (object.kind === "address") return object.address.trackGroup;
  return object.kind === "route" ? object.route.trackGroup : object.rule.trackGroup;
}

/** Equal for objects that are the same to the kernel in every detail. */
export function keyOf(object: KernelObject): string {
  return JSON.stringify(object);
}

/** Told as the failure of what service needs most: an address, where one was among them. */
export function notAdded(
  objects: readonly KernelObject[],
  { errno, message }: OsFailure,
): OsFailure {
  const missed = objects.find((object) => object.kind === "address") ?? objects[0]!;
  const call = `add ${describe(missed)}`;
  return { call, errno, message: `${call}: what cannot be recorded is not added: ${message}` };
}
