/** What must hold when nothing is broken and nothing has been for long enough. */

import type { Account } from "./account.ts";
import type { Client } from "./client.ts";
import type { NodePlan } from "./scenario.ts";
import { bite } from "./step-oracles.ts";

/** Priority of a node whose tracks are all well: every gain, no loss. */
function healthyPriority(plan: NodePlan): number {
  if (plan.priority === 255) return 255;
  let priority = plan.priority;
  for (const track of plan.tracks) {
    // Well means "script fails" for a reversed track, and is what a loss then becomes a gain by.
    const gain = track.reverse ? -track.weight : track.weight;
    if (gain > 0) priority += gain;
  }
  return Math.max(1, Math.min(254, priority));
}

/** Exactly one owner of all addresses of an instance, and the right one. */
export function judgeOwner(accounts: readonly Account[]): Account | undefined {
  const owners = accounts.filter((account) => account.answersAny);
  const owner = owners[0];
  if (owner === undefined || owners.length > 1) {
    const names = owners.map((o) => o.node.name).join(", ") || "nobody";
    bite("one-owner", accounts[0]!, `${names} answers for the addresses`);
    return undefined;
  }
  if (!owner.answersAll) bite("one-owner", owner, "answers for some addresses only");
  for (const account of accounts) {
    const { plan } = account.node;
    if (!plan.preempt && plan.priority !== 255) continue;
    if (account.heldBackUntilMs > account.node.localMs) continue;
    if (healthyPriority(plan) <= healthyPriority(owner.node.plan)) continue;
    bite("right-owner", owner, `owns beside ${plan.name}, which preempts and is higher`);
  }
  return owner;
}

/** Members of a sync group go together. */
export function judgeTogether(owners: readonly Account[]): void {
  const [first, second] = owners;
  if (first === undefined || second === undefined || first.node === second.node) return;
  bite("group-together", first, `${second.node.name} owns ${second.instance} of the same group`);
}

/** No client may be left with the hardware address of a machine that no longer answers. */
export function judgeCaches(owner: Account, clients: readonly Client[]): void {
  for (const client of clients) {
    if (client.segment !== owner.segment) continue;
    for (const address of owner.addresses) {
      const entry = client.cache.get(address);
      if (entry === undefined || entry.station === owner.node.station) continue;
      bite(
        "fresh-caches",
        owner,
        `${client.name} still sends ${address} to station ${entry.station}`,
      );
    }
  }
}
