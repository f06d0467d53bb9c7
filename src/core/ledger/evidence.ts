/** What records and measurements say about services, in the ledger's words. */

import type { Span } from "./intervals.ts";
import { harmOf, type Measure, type Severity } from "./measure.ts";
import { type Layer, type LedgerService, type Owner } from "./settings.ts";
import { shareProblem } from "./budget.ts";

/** The part of a journal's record that the ledger reads. */
export interface LedgerRecord {
  readonly node: string;
  readonly wallMs: number;
  readonly source: string;
  readonly kind: string;
  readonly subject: string;
  readonly reason: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface Harm extends Span {
  readonly type: "harm";
  readonly vantage: string;
  readonly severity: Exclude<Severity, "at-risk">;
  readonly good: number;
  readonly bad: number;
  /** When it could be known: the end of the first bucket. */
  readonly seenMs: number;
}

interface At {
  readonly atMs: number;
  readonly reason: string;
}

/** A part is out or back. `part` is unique: what it is, its name, who says so. */
export interface PartChange extends At {
  readonly type: "out" | "back";
  readonly part: string;
  readonly layer: Layer;
}

export type Happening = At &
  (
    | { readonly type: "decided"; readonly layer: Layer }
    /** Another one does the work now. */
    | { readonly type: "switched"; readonly layer: Layer }
    /** The workers of a node are new: they know of no server that is out. */
    | { readonly type: "afresh"; readonly node: string }
    /** Somebody gave an order; what comes right after it is not the machine's doing. */
    | { readonly type: "ordered" }
    /** People say: whatever is still missing, this is over. */
    | { readonly type: "settled" }
    | { readonly type: "lost"; readonly rpoMs: number }
  );

/** What people say about an incident; `atMs` of `About` lies in it. */
export type Remark = At & {
  readonly type: "annotated" | "classed" | "owned";
  readonly id: string;
  readonly who: string;
  readonly class?: string;
  readonly owners?: readonly Owner[];
};

export type Evidence = Harm | PartChange | Happening | Remark;

export function evidenceOfMeasure(measure: Measure, service: LedgerService): Harm | undefined {
  const severity = harmOf(measure, service);
  if (severity === undefined || severity === "at-risk") return undefined;
  const { vantage, fromMs, lengthMs, good, bad } = measure;
  const endMs = fromMs + lengthMs;
  // Who looked closer knows better when it began and ended.
  const from = clamp(measure.firstBadMs ?? fromMs, fromMs, endMs);
  const to = clamp(measure.lastBadMs ?? endMs, from, endMs);
  const span = to > from ? { fromMs: from, toMs: to } : { fromMs, toMs: endMs };
  return { type: "harm", vantage, ...span, severity, good, bad, seenMs: endMs };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** Which services a subject of a record is about. Empty subject: what concerns the whole node. */
export function servicesOf(
  record: Pick<LedgerRecord, "kind" | "subject" | "source">,
  services: readonly LedgerService[],
): readonly LedgerService[] {
  const { kind, subject, source } = record;
  // A role process carries all of them.
  if (subject === "" || kind.startsWith("role-")) return services;
  const pool = subject.split("/")[0]!;
  return services.filter(
    ({ name, frontends, pools, instances }) =>
      instances.includes(subject) ||
      frontends.includes(subject) ||
      pools.includes(pool) ||
      ((source === "operator" || source === "probe" || source === "drill") && subject === name),
  );
}

/** Down timers are seconds; whatever is longer is a mistake of a clock. */
const LONGEST_SILENCE_MS = 3_600_000;

type Told = readonly Evidence[];

/** Kinds of records that mean something here: the journal is asked for these. */
export const EVIDENCE_KINDS: readonly string[] = [
  "server-down",
  "server-up",
  "server-ejected",
  "server-returned",
  "server-ready",
  "server-maint",
  "server-drain-started",
  "server-removed",
  "server-panic-on",
  "server-tier",
  "state-changed",
  "peer-lost",
  "peer-appeared",
  "split-brain-found",
  "split-brain-healed",
  "lease-lapsed",
  "role-ended",
  "role-hung",
  "started",
  "handover-asked",
  "server-change-asked",
  "work-lost",
  "incident-annotated",
  "incident-class-changed",
  "incident-owners-changed",
  "incident-settled",
];

/** Nothing: this record says nothing about how the service fares. */
export function evidenceOfRecord(record: LedgerRecord): Told {
  const { kind, wallMs: atMs, reason } = record;
  if (kind.startsWith("server-")) return ofServer(record);
  if (kind.startsWith("incident-")) return ofPeople(record);
  const at = { atMs, reason };
  switch (kind) {
    case "state-changed":
      return ofState(record);
    case "peer-lost":
    case "peer-appeared": {
      const part = `peer ${record.subject} ${textOf(record, "peer")} seen by ${record.node}`;
      const type = kind === "peer-lost" ? "out" : "back";
      return [{ type, part, layer: "address", ...at }];
    }
    case "split-brain-found":
    case "split-brain-healed": {
      const type = kind === "split-brain-found" ? "out" : "back";
      return [{ type, part: rivalsOf(record.subject), layer: "address", ...at }];
    }
    case "lease-lapsed":
      return [{ type: "decided", layer: "address", ...at }];
    case "role-ended":
    case "role-hung":
      // Neither addresses nor requests need the console.
      if (record.subject === "console") return [];
      return [{ type: "decided", layer: "balancer", ...at }];
    case "started":
      return record.data?.["fresh"] === true ? [{ type: "afresh", node: record.node, ...at }] : [];
    case "handover-asked":
      return [{ type: "ordered", ...at }];
    case "work-lost": {
      const rpoMs = Number(record.data?.["rpoMs"]);
      return rpoMs >= 0 ? [{ type: "lost", rpoMs, ...at }] : [];
    }
    default:
      return [];
  }
}

/** Whether what is said of a server ends with the workers of that node, which said it. */
export function isFoundBy(part: string, node: string): boolean {
  return /^(?:server|answers of) /u.test(part) && part.endsWith(` seen by ${node}`);
}

function ofServer({ kind, subject, node, wallMs: atMs, reason }: LedgerRecord): Told {
  const at = { atMs, reason, layer: "server" as const };
  const down = `server ${subject} seen by ${node}`;
  const ejected = `answers of ${subject} seen by ${node}`;
  const switched: Evidence = { type: "switched", ...at };
  switch (kind) {
    case "server-down":
      return [{ type: "out", part: down, ...at }, switched];
    case "server-ejected":
      return [{ type: "out", part: ejected, ...at }, switched];
    case "server-up":
      return [{ type: "back", part: down, ...at }];
    case "server-returned":
      return [{ type: "back", part: ejected, ...at }];
    // Whoever takes a server out does it on purpose: it does not count as broken any more.
    case "server-ready":
    case "server-maint":
    case "server-drain-started":
    case "server-removed":
      return [
        { type: "back", part: down, ...at },
        { type: "back", part: ejected, ...at },
        { type: "ordered", atMs, reason },
      ];
    case "server-change-asked":
      return [{ type: "ordered", atMs, reason }];
    case "server-panic-on":
      return [{ type: "decided", ...at }];
    case "server-tier":
      return [switched];
    default:
      return [];
  }
}

function ofState(record: LedgerRecord): Told {
  const { subject, node, wallMs: atMs, reason } = record;
  const [from, to] = [textOf(record, "from"), textOf(record, "to")];
  const at = { atMs, reason, layer: "address" as const };
  const part = `instance ${subject} on ${node}`;
  if (to === "FAULT") return [{ type: "out", part, ...at }];
  // One that begins anew never tells of what ended with the process before it.
  const over = from === "INIT" ? [part, rivalsOf(subject)] : from === "FAULT" ? [part] : [];
  const back = over.map((one): Evidence => ({ type: "back", part: one, ...at }));
  if (to !== "MASTER") return back;
  return [...back, { type: "switched", ...at }, ...silenceOf(record)];
}

function rivalsOf(instance: string): string {
  return `single master of ${instance}`;
}

/**
 * A master that fell silent served nobody from then until this one took over; at most, because it may
 * have died just after its last advert. No balancer counts that: the one that could is gone, too.
 */
function silenceOf({ wallMs, data }: LedgerRecord): Harm[] {
  const silentMs = Number(data?.["silentMs"]);
  if (data?.["cause"] !== "silent" || !(silentMs > 0 && silentMs <= LONGEST_SILENCE_MS)) return [];
  const span = { fromMs: wallMs - silentMs, toMs: wallMs, seenMs: wallMs };
  return [{ type: "harm", vantage: "vrrp", severity: "down", good: 0, bad: 0, ...span }];
}

function ofPeople(record: LedgerRecord): Told {
  const { kind, wallMs: atMs, reason } = record;
  const about = { atMs, reason, id: textOf(record, "id"), who: textOf(record, "who") };
  switch (kind) {
    case "incident-annotated":
      return [{ type: "annotated", ...about }];
    case "incident-class-changed":
      return [{ type: "classed", ...about, class: textOf(record, "class") }];
    case "incident-owners-changed": {
      const owners = ownersOf(record.data?.["owners"]);
      if (owners === undefined || shareProblem(owners) !== undefined) return [];
      return [{ type: "owned", ...about, owners }];
    }
    case "incident-settled":
      return [{ type: "settled", atMs, reason }];
    default:
      return [];
  }
}

function ownersOf(value: unknown): Owner[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((one: unknown) => {
    const { name, share } = (one ?? {}) as Partial<Owner>;
    return typeof name === "string" && typeof share === "number" ? [{ name, share }] : [];
  });
}

function textOf({ data }: LedgerRecord, key: string): string {
  const value = data?.[key];
  return typeof value === "string" ? value : "";
}
