/**
 * What a master leaves to the process that comes after it on the same machine: that it was
 * master, until when its lease runs, and what an heir must know to go on in its place.
 *
 * Going on within the lease is the same as having slept for less than the lease: nobody else is
 * master yet. It is not the same when the configuration is another one, so that is part of it.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { ms } from "./reasons.ts";
import type { InstanceSettings, SyncGroupSettings, VrrpSettings } from "./settings.ts";

export interface Reign {
  readonly instance: string;
  /** See `identityOf`. */
  readonly identity: string;
  /** Monotonic ms: when the kernel ends it. */
  readonly leaseUntilMs: number;
  /** No packet sent so far has a higher one; see `AdvertSender.sequence`. */
  readonly sequence: number;
  /** No other router was ever heard. */
  readonly alone: boolean;
}

/** A digest of all that an instance is configured to be; groups stand or fall as a whole. */
export function identityOf(settings: InstanceSettings, group?: SyncGroupSettings): string {
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify([settings, group ?? null]))));
}

/** The identities of all instances that have a lease, by name. */
export function identitiesOf(settings: VrrpSettings): ReadonlyMap<string, string> {
  const { instances, groups } = settings;
  return new Map(
    instances
      .filter((one) => one.lease)
      .map((one) => {
        const group = groups.find((g) => g.members.includes(one.name));
        return [one.name, identityOf(one, group)] as const;
      }),
  );
}

/** Why the reign cannot be gone on with, as a sentence; undefined: it can. */
export function objectionTo(reign: Reign, identity: string, now: number): string | undefined {
  if (reign.identity !== identity) {
    return "the process before us was master, but with another configuration";
  }
  if (now < reign.leaseUntilMs) return undefined;
  const agoMs = now - reign.leaseUntilMs;
  if (agoMs === Infinity) return "the process before us was master, but its lease has ended";
  return `the process before us was master, but its lease ended ${ms(agoMs)} ago`;
}
