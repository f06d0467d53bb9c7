/**
 * What a changed configuration would change on the running system, in words: for `nines plan`
 * and `nines apply`. Pure.
 */

import type { PoolNotices } from "../../../core/check/server-notices.ts";
import type { LedgerService } from "../../../core/ledger/settings.ts";
import { sameValue } from "../../../core/vrrp/reload.ts";
import type { ServiceModel } from "../service-model.ts";
import { type Change, fields, type Part } from "./change.ts";
import { diffAddresses } from "./diff-addresses.ts";
import { diffCheck } from "./diff-check.ts";
import { diffFrontend } from "./diff-frontend.ts";
import { diffPool } from "./diff-pool.ts";

export type { Change } from "./change.ts";

export function diffService(before: ServiceModel, after: ServiceModel): Change[] {
  return [
    ...diffAddresses(before, after),
    ...diffNamed("check", before.checks, after.checks, diffCheck),
    ...diffNamed("frontend", before.balance.frontends, after.balance.frontends, diffFrontend),
    ...diffNamed("pool", before.balance.pools, after.balance.pools, diffPool),
    ...diffNamed("notifications of pool", named(before.notices), named(after.notices), (a, b) =>
      fields("in place", a, b, ["pool"]),
    ),
    ...diffNamed("service", writtenServices(before), writtenServices(after), (a, b) =>
      fields("in place", a, b, ["pools", "instances"]),
    ),
    ...diffWhole("ledger", before.ledger, after.ledger, ["services"]),
    ...diffNamed("probe", before.probes, after.probes, (a, b) => fields("in place", a, b)),
    ...diffWhole("console", before.console, after.console),
    ...diffWhole("journal", journal(before), journal(after)),
    ...diffNamed("node", before.nodes, after.nodes, (a, b) => fields("in place", a, b)),
    ...diffWorkers(before.balance.workers, after.balance.workers),
  ];
}

/** How many things of each kind stay as they are: `3 pools, 1 frontend`; empty: none. */
export function unchangedText(before: ServiceModel, after: ServiceModel): string {
  const kinds: readonly [string, string, readonly Named[], readonly Named[]][] = [
    ["address", "addresses", before.vrrp.vrrp.instances, after.vrrp.vrrp.instances],
    ["check", "checks", before.checks, after.checks],
    ["frontend", "frontends", before.balance.frontends, after.balance.frontends],
    ["pool", "pools", before.balance.pools, after.balance.pools],
  ];
  return kinds
    .map(([one, many, old, now]) => {
      const same = now.filter((n) => old.some((o) => o.name === n.name && sameValue(o, n))).length;
      return same === 0 ? "" : `${same} ${same === 1 ? one : many}`;
    })
    .filter((text) => text !== "")
    .join(", ");
}

/** One line a change, then what stays; the lines of `nines plan`. */
export function planLines(before: ServiceModel, after: ServiceModel): string[] {
  const changes = diffService(before, after);
  const same = unchangedText(before, after);
  const width = Math.max(0, ...changes.map((change) => change.effect.length));
  return [
    ...changes.map((c) => `${c.effect.padEnd(width)}  ${c.subject}: ${c.text}`),
    ...(changes.length === 0 ? ["nothing changes"] : []),
    ...(same === "" ? [] : [`unchanged: ${same}`]),
  ];
}

function named(notices: ServiceModel["notices"]): readonly (PoolNotices & Named)[] {
  return notices.map((one) => ({ ...one, name: one.pool }));
}

interface Named {
  readonly name: string;
}

const GONE: Readonly<Record<string, Part>> = {
  "notifications of pool": { text: "removed", effect: "in place" },
  check: { text: "removed", effect: "in place" },
  probe: { text: "removed", effect: "in place" },
  node: { text: "removed", effect: "in place" },
  service: { text: "removed: it is not counted any more", effect: "in place" },
  pool: { text: "removed: its requests end first", effect: "new connections only" },
  frontend: {
    text: "removed: it stops listening, open connections end first",
    effect: "new connections only",
  },
};

/** By the names that it has in nines.yaml. */
function journal({ journal: { maxAgeMs, maxBytes, maxRows } }: ServiceModel): object {
  return { ageMs: maxAgeMs, sizeBytes: maxBytes, records: maxRows };
}

function diffWhole(subject: string, before: object, after: object, skip?: string[]): Change[] {
  return fields("in place", before, after, skip).map((part) => ({ subject, ...part }));
}

function diffNamed<T extends Named>(
  kind: string,
  before: readonly T[],
  after: readonly T[],
  compare: (before: T, after: T) => Part[],
): Change[] {
  const old = new Map(before.map((one) => [one.name, one]));
  const now = new Set(after.map((one) => one.name));
  const kept = after.flatMap((one) => {
    const was = old.get(one.name);
    const parts: Part[] =
      was === undefined ? [{ text: "added", effect: "in place" }] : compare(was, one);
    return parts.map((part) => ({ subject: `${kind} ${one.name}`, ...part }));
  });
  const gone = before
    .filter((one) => !now.has(one.name))
    .map((one) => ({ subject: `${kind} ${one.name}`, ...GONE[kind]! }));
  return [...kept, ...gone];
}

/** The others follow from frontends and addresses, whose changes are told. */
function writtenServices({ ledger, origins }: ServiceModel): readonly LedgerService[] {
  return ledger.services.filter(({ name }) => origins.has(`service ${name}`));
}

function diffWorkers(before: number, after: number): Change[] {
  if (before === after) return [];
  const more = after > before;
  return [
    {
      subject: "workers",
      text: `${before} -> ${after}${more ? "" : ": those that go finish their connections first"}`,
      effect: more ? "in place" : "new connections only",
    },
  ];
}
