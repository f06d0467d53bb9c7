/** What a node's journal says of the parts of an estimate: how often they failed, and for how long. */

import { switchCoverage } from "../core/drill/coverage.ts";
import { evidenceOfRecord, EVIDENCE_KINDS, isFoundBy } from "../core/ledger/evidence.ts";
import { type Incident, isFailure, isFault } from "../core/ledger/incident.ts";
import { covers, lengthOf, type Span, union } from "../core/ledger/intervals.ts";
import type { MeasuredPart } from "../core/estimate/measured.ts";
import { readLines } from "../drivers/drill-files.ts";
import { readRecords } from "../drivers/ledger-store.ts";
import { type LedgerFile, ledgerOf } from "./ledger-reading.ts";

/** As long as records are kept. */
const KEPT_MS = 400 * 86_400_000;

export interface JournalMeasures {
  readonly measured: readonly MeasuredPart[];
  /** No record names them: they never failed, or are called otherwise. */
  readonly unheard: readonly string[];
}

/**
 * `subjects`: `service NAME` or its bare name, for which incidents count; else a part as incidents
 * name it: `server POOL/SERVER`, `instance NAME`, `peer INSTANCE ADDRESS`. Failures that drills made
 * count for the coverage only.
 */
export function measuredInJournal(
  file: LedgerFile,
  subjects: readonly string[],
  nowMs: number,
): JournalMeasures {
  const row = file.database.prepare("SELECT min(wall) AS wall FROM record").get();
  const observed: Span = {
    fromMs: Math.max(nowMs - KEPT_MS, Number(row?.["wall"] ?? nowMs)),
    toMs: nowMs,
  };
  const services = new Set(file.settings.services.map(({ name }) => name));
  const ledger = ledgerOf(file, nowMs);
  const { incidents } = ledger;
  const parts = partSpans(file, observed, union(ledger.drills()));
  const unheard: string[] = [];
  const measured = subjects.flatMap((subject): MeasuredPart[] => {
    const service = subject.replace(/^service /u, "");
    if (services.has(service)) {
      const own = incidents.filter((incident) => incident.service === service);
      return [ofService(subject, own, observed)];
    }
    const spans = parts.get(subject);
    // A name of the file that means nothing here is no wish to be measured.
    if (spans === undefined && !/^(server|instance|peer) /u.test(subject)) return [];
    if (spans === undefined) unheard.push(subject);
    const broken = union(spans ?? []);
    const observedMs = lengthOf([observed]);
    return [{ subject, observedMs, failures: broken.length, downMs: lengthOf(broken) }];
  });
  return { measured, unheard };
}

function ofService(subject: string, incidents: readonly Incident[], observed: Span): MeasuredPart {
  const failures = incidents.filter(isFailure);
  const over = incidents.filter((one) => isFault(one) && one.recovery !== "not yet");
  const covered = over.filter(
    ({ recovery }) => recovery === "harmless" || recovery === "by itself",
  );
  const away = covered.reduce((sum, { rtoMs }) => sum + rtoMs, 0);
  return {
    subject,
    observedMs: lengthOf([observed]),
    failures: failures.length,
    downMs: failures.reduce((sum, { harmMs }) => sum + harmMs, 0),
    switches: over.length,
    covered: covered.length,
    ...(covered.length === 0 ? {} : { switchMs: away / covered.length }),
  };
}

/** When each part was broken, whoever saw it; drills left out. */
function partSpans(
  { database }: LedgerFile,
  observed: Span,
  drills: readonly Span[],
): Map<string, Span[]> {
  const span = { fromMs: observed.fromMs, toMs: observed.toMs + 1 };
  const records = readRecords(database, EVIDENCE_KINDS, span);
  const open = new Map<string, number>();
  const spans = new Map<string, Span[]>();
  const close = (part: string, toMs: number): void => {
    const fromMs = open.get(part);
    open.delete(part);
    if (fromMs === undefined || covers(drills, fromMs)) return;
    spans.get(nameOf(part))?.push({ fromMs, toMs });
  };
  for (const record of records) {
    for (const one of evidenceOfRecord(record)) {
      if (one.type === "afresh") {
        const found = [...open.keys()].filter((part) => isFoundBy(part, one.node));
        for (const part of found) close(part, one.atMs);
      }
      if (one.type !== "out" && one.type !== "back") continue;
      const name = nameOf(one.part);
      if (!spans.has(name)) spans.set(name, []);
      if (one.type === "back") close(one.part, one.atMs);
      else if (!open.has(one.part)) open.set(one.part, one.atMs);
    }
  }
  for (const part of open.keys()) close(part, observed.toMs);
  return spans;
}

/** `server web/web1 seen by lb1` is the same server whoever sees it. */
function nameOf(part: string): string {
  return part.replace(/ (?:seen by|on) \S+$/u, "").replace(/^answers of /u, "server ");
}

/**
 * `drills`, or `drills LAYER`: what the drills that were run here say of switches, those in the lab
 * included. Subjects of which there was none are left out.
 */
export function measuredByDrills(
  stateDirectory: string,
  subjects: readonly string[],
): MeasuredPart[] {
  const wanted = subjects.filter((subject) => /^drills(?: \w+)?$/u.test(subject));
  if (wanted.length === 0) return [];
  const results = readLines(stateDirectory).flatMap(({ result }) => result ?? []);
  return wanted.flatMap((subject): MeasuredPart[] => {
    const layer = subject.slice("drills ".length);
    const own = results.filter((result) => layer === "" || result.layer === layer);
    const { faults, switched, outage } = switchCoverage(own);
    if (faults === 0) return [];
    const switchMs = outage === undefined ? {} : { switchMs: outage.meanMs };
    const none = { observedMs: 0, failures: 0, downMs: 0 };
    return [{ subject, ...none, switches: faults, covered: switched, ...switchMs }];
  });
}
