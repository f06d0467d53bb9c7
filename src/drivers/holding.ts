/**
 * What a holder - an instance, or the static part - has in the kernel, and how what others took
 * away of it comes back. Addresses of instances are not put back here: the router decides that.
 */

import type { InstanceSettings } from "../core/vrrp/settings.ts";
import { EEXIST, osFailure } from "./ffi.ts";
import type { OsFailure } from "./ffi.ts";
import { KernelBatch, describe, keyOf, type Addition, type KernelObject } from "./kernel-object.ts";
import { FOREVER_S } from "./netlink/addresses.ts";
import type { NetlinkSocket } from "./netlink/socket.ts";
import type { OwnedRecord } from "./owned-record.ts";

export interface Acquisition {
  /** Objects the kernel refused. */
  readonly failures: readonly OsFailure[];
  /** Were there before us, or are another instance's: used, but never removed by this one. */
  readonly foreign: readonly string[];
}

export interface Lease {
  readonly durationMs: number;
  lifetimesRenewedMs: number;
}

/**
 * Lifetimes of addresses are whole seconds and every renewal is told to all listeners of the
 * machine. With nf_tables they only tidy up; without, they are the lease, and run close.
 */
export const CLOSE = { renewEveryMs: 1000, spareS: 1 } as const;
export const RELAXED = { renewEveryMs: 5000, spareS: 12 } as const;

export interface Holding {
  /** By `keyOf`. */
  readonly objects: Map<string, KernelObject>;
  /** Were there before us, or are another holder's. */
  readonly foreign: Set<string>;
  /** Wanted, and refused by the kernel until now. */
  missing: readonly KernelObject[];
  /** Those of `objects` that went and could not be put back yet; still ours to remove. */
  readonly gone: Set<string>;
  leased: readonly string[];
  refused: readonly string[];
  /** Put there before a takeover, shut. Undefined = acquired. */
  prepared: Prepared | undefined;
}

export interface Prepared {
  readonly settings: InstanceSettings;
  /** Monotonic ms. */
  readonly atMs: number;
}

/** How long the lease will be that they wait for. */
export function preparedLeaseMs(holding: Holding | undefined): number | undefined {
  const settings = holding?.prepared?.settings;
  return settings && settings.advertIntervalMs * settings.downTimerAdverts;
}

/** Who hung for longer since it prepared them finds their lifetimes ended, perhaps. */
const PREPARED_FOR_MS = 1000;

export const STATIC = "static addresses, routes and rules";

export function emptyHolding(): Holding {
  return {
    objects: new Map(),
    foreign: new Set(),
    missing: [],
    gone: new Set(),
    leased: [],
    refused: [],
    prepared: undefined,
  };
}

export function note({ objects }: Holding, object: KernelObject): void {
  if (!objects.has(keyOf(object))) objects.set(keyOf(object), object);
}

/** What should be in the kernel and is not. */
export function absentOf(holding: Holding | undefined): readonly KernelObject[] {
  if (holding === undefined) return [];
  const gone = [...holding.gone].flatMap((key) => holding.objects.get(key) ?? []);
  return [...holding.missing, ...gone];
}

/** One object that was put back, or could not be. */
export interface Reinstated {
  readonly holder: string;
  readonly object: KernelObject;
  readonly failure?: OsFailure;
}

/** Statuses in the order of the objects. */
export function sendAdditions(
  socket: NetlinkSocket,
  objects: readonly KernelObject[],
  addition: Addition,
): number[] {
  const batch = new KernelBatch(socket);
  const results = objects.map((object) => batch.add(object, addition));
  const sent = [...results.keys()].filter((i) => results[i] === 0);
  if (sent.length === 0) return results;
  const { status, failures } = socket.transact();
  if (status < 0 && failures.length === 0) return objects.map(() => status);
  for (const { index, reason } of failures) results[sent[index]!] = reason.status;
  return results;
}

/**
 * Adds the tracked routes, rules and static addresses of a holder that are not in the kernel: the
 * kernel itself says which those are, as it refuses what is there already.
 */
export function reinstate(
  socket: NetlinkSocket,
  record: OwnedRecord,
  holder: string,
  holding: Holding,
): readonly Reinstated[] {
  const wanted = [...holding.objects.values(), ...holding.missing].filter((object) =>
    isReinstated(holder, object),
  );
  if (wanted.length === 0) return [];
  if (record.add(wanted) !== undefined) return [];
  const results = sendAdditions(socket, wanted, { validLifetimeS: FOREVER_S, mode: "add" });
  const told: Reinstated[] = [];
  const strangers: KernelObject[] = [];
  for (const [i, object] of wanted.entries()) {
    const status = results[i]!;
    const key = keyOf(object);
    const isMissing = !holding.objects.has(key);
    if (status < 0 && status !== -EEXIST) {
      const failure = osFailure(`add ${describe(object)}`, status);
      told.push({ holder, object, failure });
      if (!isMissing) holding.gone.add(key);
    } else {
      holding.gone.delete(key);
      if (status >= 0) {
        holding.foreign.delete(key);
        told.push({ holder, object });
      } else if (isMissing) holding.foreign.add(key);
    }
    if (isMissing && (status >= 0 || status === -EEXIST)) holding.objects.set(key, object);
    if (!holding.objects.has(key) || holding.foreign.has(key)) strangers.push(object);
  }
  record.remove(strangers);
  holding.missing = holding.missing.filter((object) => !holding.objects.has(keyOf(object)));
  return told;
}

function isReinstated(holder: string, object: KernelObject): boolean {
  if (object.kind === "address") return holder === STATIC && object.address.tracked;
  return object.kind === "route" ? object.route.tracked : object.rule.tracked;
}

/** The takeover is here. What of it is in the kernel already? */
export function endPreparation(
  holding: Holding,
  settings: InstanceSettings,
  now: number,
): "nothing" | "something" | "everything" | "long ago" {
  const { prepared } = holding;
  holding.prepared = undefined;
  if (prepared === undefined) return "nothing";
  if (now - prepared.atMs > PREPARED_FOR_MS) return "long ago";
  const isAll = settings.routes.length + settings.rules.length === 0;
  return isAll && prepared.settings === settings ? "everything" : "something";
}

/** The instance whose tracked address that is. */
export function holderOf(
  holdings: ReadonlyMap<string, Holding>,
  interfaceName: string,
  address: string,
): string | undefined {
  for (const [instance, { objects }] of holdings) {
    for (const object of objects.values()) {
      if (object.kind !== "address" || object.address.address !== address) continue;
      const { tracked, interface: name } = object.address;
      if (name === interfaceName && tracked && instance !== STATIC) return instance;
    }
  }
  return undefined;
}

export function renameKey<T>(all: Map<string, T>, key: string, next: string): void {
  const value = all.get(key);
  if (value === undefined) return;
  all.delete(key);
  all.set(next, value);
}
