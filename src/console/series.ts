/**
 * What was measured over time, for charts: read from this node's file a piece at a time, so that nobody
 * waits for a month of it, and put together with what the other nodes measured.
 */

import { setImmediate as breathe } from "node:timers/promises";
import { Chart, type ChartFrame, frameOf, type VantageSteps } from "../core/ledger/chart.ts";
import type { LedgerService } from "../core/ledger/settings.ts";
import type { Measurement } from "../core/journal/measurement.ts";
import type { SeriesView } from "./api.ts";
import type { Neighbour } from "./ledger-news.ts";
import type { Measures } from "./measure.ts";
import { type Answer, type Call, json, problem, type Route } from "./routes.ts";
import { measuresOf, subjectsOf } from "./service-measures.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Rows of one reading: some 10 ms. */
const PIECE = 4_000;
const MAX_SPAN_MS = 92 * DAY_MS;
/** A page asks once a minute; more at once is somebody's mistake. */
const MAX_READING = 4;

export interface SeriesWish extends ChartFrame {
  /** `service shop`, `pool web`, `frontend web`, `server web/web1`. */
  readonly subject: string;
}

export interface SeriesModel {
  readonly services: () => readonly LedgerService[];
  readonly measures: Pick<Measures, "find" | "looked">;
  readonly neighbours: () => readonly Neighbour[];
}

export class SeriesReader {
  readonly #model: SeriesModel;
  #reading = 0;

  constructor(model: SeriesModel) {
    this.#model = model;
  }

  /** Of this node alone. Rejects when too many read at once. */
  async own(wish: SeriesWish): Promise<readonly VantageSteps[]> {
    return (await this.#chart(wish)).steps;
  }

  /** Of all nodes; who did not answer is named. */
  async ofGroup(wish: SeriesWish): Promise<Pick<SeriesView, "vantages" | "missing">> {
    const asking = this.#model.neighbours().map(async (other) => {
      try {
        if (other.ageMs !== undefined) throw new Error(other.reason);
        return { told: (await other.ask(pathOf(wish, other.aheadMs))) as readonly VantageSteps[] };
      } catch (error) {
        return { missing: { node: other.name, reason: (error as Error).message } };
      }
    });
    const [chart, answers] = await Promise.all([this.#chart(wish), Promise.all(asking)]);
    for (const { told } of answers) for (const steps of told ?? []) chart.merge(steps);
    const missing = answers.flatMap((one) => one.missing ?? []);
    return { vantages: chart.points, missing };
  }

  async #chart(wish: SeriesWish): Promise<Chart> {
    if (this.#reading >= MAX_READING) throw new Error("too many charts are read at once");
    this.#reading++;
    try {
      return await this.#read(wish);
    } finally {
      this.#reading--;
    }
  }

  async #read({ subject, ...frame }: SeriesWish): Promise<Chart> {
    const chart = new Chart(frame);
    const service = this.#model.services().find(({ name }) => subject === `service ${name}`);
    for (const one of service === undefined ? [subject] : subjectsOf(service)) {
      // What is kept by the hour may have begun before.
      for (let fromMs = frame.fromMs - HOUR_MS; ;) {
        const query = { subject: one, fromMs, toMs: frame.toMs, limit: PIECE };
        const rows = this.#model.measures.find(query);
        const lastMs = rows.at(-1)?.fromMs ?? 0;
        const isAll = rows.length < PIECE || lastMs === fromMs;
        // The rows of the last moment may not all be here: the next piece begins with them.
        const whole = isAll ? rows : rows.filter((row) => row.fromMs < lastMs);
        for (const row of countsOf(service, whole)) chart.add(row);
        if (isAll) break;
        fromMs = lastMs;
        await breathe();
      }
    }
    await this.#readLooks(chart, { subject, ...frame });
    return chart;
  }

  /** When anybody counted at all: a day at a time. */
  async #readLooks(chart: Chart, { subject, stepMs, ...frame }: SeriesWish): Promise<void> {
    for (let fromMs = frame.fromMs - HOUR_MS; fromMs < frame.toMs; fromMs += DAY_MS) {
      const toMs = Math.min(frame.toMs, fromMs + DAY_MS);
      const looks = this.#model.measures.looked({ subject, fromMs, toMs, stepMs });
      for (const look of looks) chart.looked(look.fromMs, look.lengthMs);
      await breathe();
    }
  }
}

/** A service takes only the probes that it names. */
function countsOf(
  service: LedgerService | undefined,
  rows: readonly Measurement[],
): readonly Pick<Measurement, "vantage" | "fromMs" | "lengthMs" | "good" | "bad" | "latency">[] {
  return service === undefined ? rows : measuresOf(service, rows);
}

/** By the clock of the other node, in whole steps: each node's spans begin with those of its clock. */
function pathOf({ subject, fromMs, toMs, stepMs }: SeriesWish, offsetMs: number): string {
  const aheadMs = Math.round(offsetMs / stepMs) * stepMs;
  const asked = { subject, from: fromMs + aheadMs, to: toMs + aheadMs, step: stepMs };
  const words = Object.entries(asked).map(([key, value]) => [key, String(value)]);
  return `/api/v1/node/series?${new URLSearchParams(words).toString()}`;
}

/** What another node asks; undefined: that is no question. */
export function wishOf(query: URLSearchParams): SeriesWish | undefined {
  const number = (name: string): number => Number(query.get(name) ?? Number.NaN);
  const [fromMs, toMs, stepMs] = [number("from"), number("to"), number("step")];
  const subject = query.get("subject") ?? "";
  const span = toMs - fromMs;
  const isSound = span > 0 && span <= MAX_SPAN_MS && stepMs >= 10_000 && stepMs <= DAY_MS;
  return isSound && subject !== "" ? { subject, fromMs, toMs, stepMs } : undefined;
}

export function seriesRoutes(reader: SeriesReader, model: SeriesModel): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/api/v1/series",
      access: "read",
      summary: "What was measured over time: requests, failures, times; of all nodes together.",
      query: {
        service: { type: "string", description: "Of which service; or name a pool or a server." },
        pool: { type: "string", description: "Of which pool, as the balancers saw it." },
        server: { type: "string", description: "Of which server, as POOL/SERVER." },
        vantage: { type: "string", description: "Only from there: balancer, probe:NAME." },
        from: { type: "number", description: "Unix ms; default: an hour before `to`." },
        to: { type: "number", description: "Unix ms; default: now. At most 92 days." },
      },
      answers: "SeriesView",
      handle: (call) => series(reader, model, call),
    },
  ];
}

const KINDS = ["service", "pool", "server"] as const;

async function series(reader: SeriesReader, model: SeriesModel, call: Call): Promise<Answer> {
  const { query, nowMs } = call;
  const { service, vantage, to: toMs = nowMs } = query;
  const [subject, ...more] = KINDS.flatMap((kind) =>
    query[kind] === undefined ? [] : [`${kind} ${query[kind]}`],
  );
  if (subject === undefined || more.length > 0) {
    return problem(400, "mistake", "name a service, a pool or a server");
  }
  const names = model.services().map(({ name }) => name);
  if (service !== undefined && !names.includes(String(service))) {
    const detail = `there is no service '${service}'; there are: ${names.join(" ")}`;
    return problem(404, "no-service", detail);
  }
  const { from: fromMs = Number(toMs) - HOUR_MS } = query;
  const span = Number(toMs) - Number(fromMs);
  if (span <= 0 || span > MAX_SPAN_MS) {
    return problem(400, "mistake", "'from' is before 'to', by at most 92 days");
  }
  const frame = frameOf(Number(fromMs), Number(toMs));
  try {
    const { vantages, missing } = await reader.ofGroup({ subject, ...frame });
    const shown = vantages.filter((one) => vantage === undefined || one.vantage === vantage);
    return json({ subject, ...frame, vantages: shown, missing } satisfies SeriesView);
  } catch (error) {
    return problem(503, "busy", (error as Error).message);
  }
}
