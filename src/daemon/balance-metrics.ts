/** The balancer's rows of the metrics page: what `metrics.ts` does for addresses. */

import { bucketEndMs } from "../core/proxy/histogram.ts";
import type { CounterName } from "../core/proxy/traffic.ts";
import type {
  BalanceStatus,
  FrontendStatus,
  HistogramNumbers,
  PoolServer,
  PoolView,
  TrafficNumbers,
} from "./balance-status.ts";
import type { NodeStatus } from "./control-api.ts";
import type { Labels, Metric, Sample } from "./metrics.ts";

type Numbered = readonly [Labels, TrafficNumbers["counts"]];

const CLASSES: readonly (readonly [string, CounterName])[] = [
  ["1xx", "informational"],
  ["2xx", "success"],
  ["3xx", "redirect"],
  ["4xx", "clientError"],
  ["5xx", "serverError"],
];

const REFUSALS: readonly (readonly [string, CounterName])[] = [
  ["malformed", "malformed"],
  ["connections", "connectionsRefused"],
  ["handshake", "handshakesFailed"],
  ["rate", "rateLimited"],
  ["load", "shed"],
  ["queue", "queueRefused"],
];

const FAILURES: readonly (readonly [string, CounterName])[] = [
  ["connect", "connectErrors"],
  ["answer", "answerErrors"],
  ["timeout", "timeouts"],
  ["cut", "cut"],
];

const STATES: readonly PoolServer["state"][] = [
  "up",
  "unchecked",
  "down",
  "ejected",
  "drain",
  "maint",
  "leaving",
];

export const BALANCE_METRICS: readonly Metric[] = [
  simple("nines_frontend_connections_total", "Connections accepted.", frontends, "connections"),
  gauge("nines_frontend_connections", "Connections open now.", frontends, "openConnections"),
  simple("nines_frontend_requests_total", "Requests.", frontends, "requests"),
  split("nines_frontend_responses_total", "Answers by class.", frontends, ["class", CLASSES]),
  split("nines_frontend_refused_total", "Refused here, by reason.", frontends, [
    "reason",
    REFUSALS,
  ]),
  gauge("nines_frontend_requests_in_flight", "Requests being served.", frontends, "inFlight"),
  simple("nines_frontend_received_bytes_total", "From clients.", frontends, "bytesIn"),
  simple("nines_frontend_sent_bytes_total", "To clients.", frontends, "bytesOut"),
  simple(
    "nines_frontend_client_aborts_total",
    "Clients that left early.",
    frontends,
    "clientAborts",
  ),
  simple("nines_pool_requests_total", "Requests.", pools, "requests"),
  simple("nines_pool_retries_total", "Sent again to another server.", pools, "retries"),
  simple("nines_pool_retries_denied_total", "The budget said no.", pools, "retriesDenied"),
  perPool("nines_pool_waiting", "Requests in line.", (pool) => pool.waiting),
  perPool("nines_pool_panic", "1 while health is not asked.", (pool) => Number(pool.panic)),
  perPool("nines_pool_usable_servers", "Servers that get requests.", (pool) =>
    pool.servers.reduce((count, server) => count + Number(server.usable), 0),
  ),
  simple("nines_server_requests_total", "Requests sent to it.", servers, "requests"),
  simple("nines_server_connections_total", "Connections opened to it.", servers, "connections"),
  gauge("nines_server_connections", "Connections to it now.", servers, "openConnections"),
  split("nines_server_responses_total", "Answers by class.", servers, ["class", CLASSES]),
  split("nines_server_failures_total", "Tries that failed, by kind.", servers, ["kind", FAILURES]),
  perServer("nines_server_active", "gauge", "Requests at it now.", (server) => server.active),
  perServer(
    "nines_server_weight",
    "gauge",
    "With agent and slow start; 0 while it gets no requests.",
    (server) => (server.usable ? server.effectiveWeight : 0),
  ),
  perServer("nines_server_usable", "gauge", "1 while it gets requests.", (s) => Number(s.usable)),
  perServer("nines_server_ejections_total", "counter", "By outlier detection.", (s) => s.ejections),
  perServer("nines_server_check_up", "gauge", "Verdict of the last check.", (server) =>
    server.check === undefined ? undefined : Number(server.check.up),
  ),
  perServer("nines_server_check_seconds", "gauge", "Time the last check took.", (server) =>
    server.check === undefined ? undefined : server.check.latencyMs / 1e3,
  ),
  {
    name: "nines_server_state",
    type: "gauge",
    help: "1 for the state the server is in, 0 for the others.",
    samples: (status) =>
      eachServer(status).flatMap(([labels, server]) =>
        STATES.map((state): Sample => [{ ...labels, state }, Number(server.state === state)]),
      ),
  },
  perWorker("nines_worker_resident_bytes", "gauge", "Resident memory.", (w) => w.residentBytes),
  perWorker("nines_worker_cpu_seconds_total", "counter", "CPU time.", (w) => w.cpuMs / 1e3),
  perWorker(
    "nines_access_log_lines_dropped_total",
    "counter",
    "Lines that the disk had no time or no room for.",
    (worker) => worker.logLinesDropped,
  ),
];

export interface HistogramMetric {
  readonly name: string;
  readonly help: string;
  histograms(status: NodeStatus): readonly (readonly [Labels, HistogramNumbers])[];
}

export const BALANCE_HISTOGRAMS: readonly HistogramMetric[] = [
  {
    name: "nines_frontend_request_seconds",
    help: "From the first byte of a request to the last of its answer.",
    histograms: (status) =>
      (status.balance?.frontends ?? []).flatMap((frontend) =>
        present({ frontend: frontend.name }, frontend.traffic.totalTime),
      ),
  },
  {
    name: "nines_server_answer_seconds",
    help: "From a request sent to the first byte of its answer.",
    histograms: (status) =>
      eachServer(status).flatMap(([labels, server]) => present(labels, server.traffic.answerTime)),
  },
];

/** Every second octave of microseconds from 128 us to 67 s is enough for a page of text. */
const FIRST_BUCKET = 27;
const LAST_BUCKET = 103;
const BUCKET_STEP = 4;

/** Suffix of the name, further labels, value. */
export function bucketSamples(
  numbers: HistogramNumbers,
): readonly (readonly [string, Labels, number])[] {
  const samples: (readonly [string, Labels, number])[] = [];
  let below = 0;
  for (const [i, count] of numbers.counts.entries()) {
    below += count;
    const isShown = i >= FIRST_BUCKET && i <= LAST_BUCKET && (i - FIRST_BUCKET) % BUCKET_STEP === 0;
    if (isShown) samples.push(["_bucket", { le: String(bucketEndMs(i) / 1e3) }, below]);
  }
  samples.push(["_bucket", { le: "+Inf" }, numbers.total]);
  samples.push(["_sum", {}, numbers.sumMs / 1e3], ["_count", {}, numbers.total]);
  return samples;
}

function present(
  labels: Labels,
  numbers: HistogramNumbers | undefined,
): readonly (readonly [Labels, HistogramNumbers])[] {
  return numbers === undefined ? [] : [[labels, numbers]];
}

function frontends(status: NodeStatus): readonly Numbered[] {
  return (status.balance?.frontends ?? []).map((one: FrontendStatus) => [
    { frontend: one.name },
    one.traffic.counts,
  ]);
}

function pools(status: NodeStatus): readonly Numbered[] {
  return (status.balance?.pools ?? []).map((one) => [{ pool: one.name }, one.traffic.counts]);
}

function servers(status: NodeStatus): readonly Numbered[] {
  return eachServer(status).map(([labels, server]) => [labels, server.traffic.counts]);
}

function eachServer(status: NodeStatus): readonly (readonly [Labels, PoolServer])[] {
  return (status.balance?.pools ?? []).flatMap((pool) =>
    pool.servers.map((server) => [{ pool: pool.name, server: server.name }, server] as const),
  );
}

type Source = (status: NodeStatus) => readonly Numbered[];

function simple(name: string, help: string, source: Source, key: CounterName): Metric {
  return {
    name,
    type: "counter",
    help,
    samples: (status) => source(status).map(([labels, counts]) => [labels, counts[key]]),
  };
}

function gauge(name: string, help: string, source: Source, key: CounterName): Metric {
  return { ...simple(name, help, source, key), type: "gauge" };
}

function split(
  name: string,
  help: string,
  source: Source,
  [label, kinds]: readonly [string, readonly (readonly [string, CounterName])[]],
): Metric {
  return {
    name,
    type: "counter",
    help,
    samples: (status) =>
      source(status).flatMap(([labels, counts]) =>
        kinds.map(([kind, key]): Sample => [{ ...labels, [label]: kind }, counts[key]]),
      ),
  };
}

function perPool(name: string, help: string, number: (pool: PoolView) => number): Metric {
  return {
    name,
    type: "gauge",
    help,
    samples: (status) =>
      (status.balance?.pools ?? []).map((pool) => [{ pool: pool.name }, number(pool)]),
  };
}

function perServer(
  name: string,
  type: Metric["type"],
  help: string,
  number: (server: PoolServer) => number | undefined,
): Metric {
  return {
    name,
    type,
    help,
    samples: (status) =>
      eachServer(status).flatMap(([labels, server]): readonly Sample[] => {
        const value = number(server);
        return value === undefined ? [] : [[labels, value]];
      }),
  };
}

/** Of each by itself: a sum would go down with each one that ends. */
function perWorker(
  name: string,
  type: Metric["type"],
  help: string,
  number: (worker: BalanceStatus["workers"][number]) => number,
): Metric {
  return {
    name,
    type,
    help,
    samples: ({ balance }) =>
      (balance?.workers ?? []).map((worker) => [{ worker: String(worker.serial) }, number(worker)]),
  };
}
