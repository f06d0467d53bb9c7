/**
 * Reports of external probers (`nines probe --report-to`): measurements with the vantage `probe:NAME`,
 * and outages as records. What comes twice counts once; what comes by a wrong clock is moved.
 */

import { BUCKET_MS, type Measurement } from "../core/journal/measurement.ts";
import type { RecordDraft } from "../core/journal/record.ts";
import { type LedgerService, serviceOfProbe } from "../core/ledger/settings.ts";
import { type ProbeOutage, type ProbeReport, readReport } from "../core/probe/report.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { type KnownOutage, ProbeIntakeStore } from "../drivers/probe-intake-store.ts";
import { formatDuration } from "../lib/duration.ts";
import type { Problem } from "./api.ts";
import type { ConsoleCore, ConsolePart, RunningPart } from "./console-core.ts";
import type { Fields } from "./fields.ts";
import { NodeProbes } from "./node-probes.ts";
import { json, problem, type Route } from "./routes.ts";

/** Clocks that differ by less are called right: a report is on its way for a while, too. */
const CLOCK_RIGHT_MS = 2000;
/** A clock that is found wrong again by about as much is not told again. */
const MOST_PROBERS = 1000;
const PRUNE_MS = 60_000;
/** While there is more. */
const PRUNE_AGAIN_MS = 100;

type Known = Pick<ProbeIntakeStore, "hasBucket" | "noteBuckets" | "outageState" | "noteOutage">;

export interface IntakeOptions {
  readonly store: () => Known | undefined;
  /** Undefined: control has not told them yet. */
  readonly services: () => readonly LedgerService[] | undefined;
  readonly measured: (measurements: readonly Measurement[]) => void;
  readonly say: (draft: Omit<RecordDraft, "monoMs">) => void;
}

/** What the prober is told. */
export interface Intake {
  readonly service: string;
  readonly taken: number;
  /** Buckets that were here already. */
  readonly known: number;
  /** How far the prober's clock is behind ours, ms; 0: not worth a word. */
  readonly clockBehindMs: number;
}

export class ProbeIntake {
  readonly #options: IntakeOptions;
  readonly #clocks = new Map<string, number>();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  take(body: unknown, nowMs: number): Intake | Problem {
    const report = readReport(body);
    if (typeof report === "string") return problem(422, "no-report", report);
    const store = this.#options.store();
    if (store === undefined) return problem(503, "no-journal", "the journal cannot be written now");
    const services = this.#options.services();
    if (services === undefined) {
      return problem(503, "no-services", "which services there are is not known yet");
    }
    const service = serviceOf(report, services);
    if (typeof service !== "string") return service;
    const clockBehindMs = this.#clockOf(report, service, nowMs);
    const fresh = report.buckets.filter(({ fromMs }) => !store.hasBucket(report, fromMs));
    // First: what the disk does not take comes again, and must not have been counted.
    store.noteBuckets(
      report,
      fresh.map(({ fromMs }) => fromMs),
    );
    const subject = `service ${service}`;
    const vantage = `probe:${report.probe}`;
    const measurements = fresh.map((bucket): Measurement => {
      const { good, bad, slow, latency, firstBadMs, lastBadMs } = bucket;
      const moved = Math.round((bucket.fromMs + clockBehindMs) / BUCKET_MS) * BUCKET_MS;
      return {
        subject,
        vantage,
        fromMs: Math.max(0, moved),
        lengthMs: BUCKET_MS,
        good,
        bad,
        slow,
        ...(firstBadMs === undefined ? {} : { firstBadMs: firstBadMs + clockBehindMs }),
        ...(lastBadMs === undefined ? {} : { lastBadMs: lastBadMs + clockBehindMs }),
        ...(latency.length === 0 ? {} : { latency }),
      };
    });
    // A bucket in which the prober slept says nothing.
    this.#options.measured(measurements.filter(({ good, bad }) => good + bad > 0));
    for (const outage of report.outages)
      this.#takeOutage({ report, service, clockBehindMs }, outage);
    const known = report.buckets.length - fresh.length;
    return { service, taken: fresh.length, known, clockBehindMs };
  }

  #takeOutage(
    from: {
      readonly report: ProbeReport;
      readonly service: string;
      readonly clockBehindMs: number;
    },
    outage: ProbeOutage,
  ): void {
    const { report, service, clockBehindMs } = from;
    const store = this.#options.store();
    const before = store?.outageState(report, outage.fromMs) ?? "ended";
    if (before === "ended" || (before === "going-on" && outage.toMs === undefined)) return;
    const moved: ProbeOutage = {
      ...outage,
      fromMs: outage.fromMs + clockBehindMs,
      ...(outage.toMs === undefined ? {} : { toMs: outage.toMs + clockBehindMs }),
    };
    store?.noteOutage(report, outage.fromMs, { service, ...moved });
    const { probe, target } = report;
    if (outage.lost !== undefined) return this.#takeLoss({ report, service }, moved);
    const data = { probe, target, ...moved };
    const base = { source: "probe", subject: service, data } as const;
    if (before === "new") {
      const reason = `${probe} gets no good answer from ${target}: ${outage.reason}`;
      const wallMs = moved.fromMs;
      this.#options.say({ ...base, wallMs, level: "warning", kind: "probe-outage-began", reason });
    }
    if (moved.toMs === undefined) return;
    const away = formatDuration(Math.max(0, moved.toMs - moved.fromMs - moved.ownMs));
    const own = moved.ownMs === 0 ? "" : ` and slept ${formatDuration(moved.ownMs)} of it`;
    const reason = `${probe} got no good answer from ${target} for ${away}${own}: ${outage.reason}`;
    const { toMs: wallMs } = moved;
    this.#options.say({ ...base, wallMs, level: "info", kind: "probe-outage-ended", reason });
  }

  /** Lost work is harm of its own, beside what was answered and what was not. */
  #takeLoss(
    {
      report: { probe, target },
      service,
    }: { readonly report: ProbeReport; readonly service: string },
    { fromMs, toMs = fromMs, lost = 0 }: ProbeOutage,
  ): void {
    const rpoMs = toMs - fromMs;
    const reason =
      `${probe} wrote to ${target}: ${lost} acknowledged writes are gone, ` +
      `${formatDuration(rpoMs)} of work`;
    const draft = { source: "probe", level: "error", kind: "work-lost", subject: service } as const;
    this.#options.say({ ...draft, wallMs: toMs, reason, data: { probe, target, rpoMs, lost } });
    this.#options.measured([
      {
        subject: `service ${service}`,
        vantage: `probe:${probe} writes`,
        fromMs: Math.floor(toMs / BUCKET_MS) * BUCKET_MS,
        lengthMs: BUCKET_MS,
        good: 0,
        bad: lost,
        slow: 0,
        lastBadMs: toMs,
      },
    ]);
  }

  #clockOf({ probe, sentMs }: ProbeReport, service: string, nowMs: number): number {
    const behindMs = Math.round(nowMs - sentMs);
    const counts = Math.abs(behindMs) < CLOCK_RIGHT_MS ? 0 : behindMs;
    const told = this.#clocks.get(probe) ?? 0;
    if (Math.abs(counts - told) >= CLOCK_RIGHT_MS) {
      if (this.#clocks.size >= MOST_PROBERS) this.#clocks.clear();
      this.#clocks.set(probe, counts);
      const way = counts > 0 ? "behind" : "ahead of";
      const reason =
        counts === 0
          ? `the clock of prober ${probe} is right again`
          : `the clock of prober ${probe} is ${formatDuration(Math.abs(counts))} ${way} ours: its times are moved by that`;
      this.#options.say({
        wallMs: nowMs,
        source: "probe",
        level: counts === 0 ? "info" : "warning",
        kind: "probe-clock",
        subject: service,
        reason,
        data: { probe, behindMs: counts },
      });
    }
    return counts;
  }
}

function serviceOf(
  { service, probe }: ProbeReport,
  services: readonly LedgerService[],
): string | Problem {
  const names = services.map(({ name }) => name);
  const all = names.slice(0, 20).join(", ") || "none";
  if (service !== undefined) {
    if (names.includes(service)) return service;
    return problem(422, "no-service", `there is no service '${service}'; there are: ${all}`);
  }
  const found = serviceOfProbe(probe, services);
  if (found !== undefined) return found;
  const detail = `which service does ${probe} look at? --service NAME; there are: ${all}`;
  return problem(422, "which-service", detail);
}

/** For our own probes, which tell everything once: it counts, whether the disk takes a note of it or not. */
export function forgiving(store: Known): Known {
  const attempt = <T>(ask: () => T, otherwise: T): T => {
    try {
      return ask();
    } catch {
      // The journal says that the disk does not take anything.
      return otherwise;
    }
  };
  return {
    hasBucket: (key, fromMs) => attempt(() => store.hasBucket(key, fromMs), false),
    noteBuckets: (key, starts) => attempt(() => store.noteBuckets(key, starts), undefined),
    outageState: (key, fromMs) => attempt(() => store.outageState(key, fromMs), "new"),
    noteOutage: (...note) => attempt(() => store.noteOutage(...note), undefined),
  };
}

const REPORT: Fields = {
  probe: { type: "string", description: "Name of the prober.", required: true },
  run: { type: "string", description: "Of its life.", required: true },
  target: { type: "string", description: "What it asks.", required: true },
  service: { type: "string", description: "Whose users it stands for." },
  sentMs: { type: "number", description: "Its clock, Unix ms.", required: true },
  buckets: { type: "array", description: "ProbeBucket: ten seconds each.", required: true },
  outages: { type: "array", description: "ProbeOutage: began or ended.", required: true },
};

export const PROBES: ConsolePart = {
  name: "the intake of probes",
  start: (core) => new ProbePart(core),
};

class ProbePart implements RunningPart {
  readonly routes: readonly Route[];
  #store: ProbeIntakeStore | undefined;
  readonly #pruning: NodeJS.Timeout;
  #pruningOn: NodeJS.Timeout | undefined;
  readonly #own: NodeProbes;
  readonly #control: ConsoleCore["control"];

  constructor({ node, journal, measures, control }: ConsoleCore) {
    this.#control = control;
    journal.onOpen((database) => (this.#store = new ProbeIntakeStore(database)));
    const options: Omit<IntakeOptions, "store"> = {
      services: () => control.service?.ledger.services,
      measured: (measurements) => measures.add(measurements),
      say: (draft) => journal.add({ monoMs: monotonicMs(), ...draft }),
    };
    const intake = new ProbeIntake({ ...options, store: () => this.#store });
    const own = new ProbeIntake({ ...options, store: () => this.#store && forgiving(this.#store) });
    this.routes = [
      {
        method: "POST",
        path: "/api/v1/probe-report",
        access: "probe",
        summary: "What an external prober saw; the same again counts once.",
        body: REPORT,
        answers: "Intake",
        handle: ({ body, nowMs }) => {
          const answer = intake.take(body, nowMs);
          return "detail" in answer ? answer : json(answer);
        },
      },
      {
        method: "GET",
        path: "/api/v1/probe-outages",
        access: "read",
        summary: "Outages as probers lived them.",
        query: OUTAGES,
        answers: "KnownOutages",
        handle: ({ query }) => json(this.#outages(query)),
      },
    ];
    this.#own = new NodeProbes({
      node,
      take: (report) => void own.take(report, wallMs()),
      trouble: (reason) => {
        journal.say({ source: "probe", level: "warning", kind: "probe-own", subject: "", reason });
      },
    });
    this.configured();
    this.#pruning = setInterval(() => this.#prune(), PRUNE_MS);
    this.#pruning.unref();
  }

  configured(): void {
    this.#own.configure(this.#control.service?.probes ?? []);
  }

  close(): void {
    this.#own.close();
    clearInterval(this.#pruning);
    clearTimeout(this.#pruningOn);
  }

  #prune(): void {
    try {
      if (this.#store?.prune(wallMs()) !== true) return;
      clearTimeout(this.#pruningOn);
      this.#pruningOn = setTimeout(() => this.#prune(), PRUNE_AGAIN_MS);
      this.#pruningOn.unref();
    } catch {
      // A full disk must not end this process; the next time.
    }
  }

  #outages({ since, until, service }: Readonly<Record<string, unknown>>): readonly KnownOutage[] {
    const [fromMs, toMs] = [Number(since ?? 0), Number(until ?? Number.MAX_SAFE_INTEGER)];
    const name = typeof service === "string" ? service : undefined;
    return this.#store?.outages(fromMs, toMs, name) ?? [];
  }
}

const OUTAGES: Fields = {
  since: { type: "number", description: "Unix ms, inclusive." },
  until: { type: "number", description: "Unix ms, exclusive." },
  service: { type: "string", description: "Default: all." },
};
