/** The console's own rows of `/metrics`: what users have, what the next failure would do, who is heard. */

import { metricLines, type MetricName, type Sample } from "../daemon/metrics.ts";
import type { Overview, Survival, VerdictState } from "./api.ts";

export interface ConsoleNumbers {
  readonly overview: Overview;
  readonly readers: number;
  /** Of the journal. */
  readonly lastSeq: number;
  readonly isJournalWritten: boolean;
}

interface ConsoleMetric extends MetricName {
  samples(numbers: ConsoleNumbers): readonly Sample[];
}

const VERDICTS: readonly VerdictState[] = ["up", "degraded", "down", "unknown"];
const ANSWERS: readonly Survival["survives"][] = ["yes", "no", "unknown"];

const METRICS: readonly ConsoleMetric[] = [
  {
    name: "nines_service_state",
    type: "gauge",
    help: "1 for the state that users find the service in, 0 for the others.",
    samples: ({ overview }) =>
      overview.services.flatMap(({ name: service, state: now }) =>
        VERDICTS.map((state): Sample => [{ service, state }, Number(state === now)]),
      ),
  },
  {
    name: "nines_service_survives",
    type: "gauge",
    help: "1 for the answer to: may any one machine fail, 0 for the others.",
    samples: ({ overview }) =>
      overview.survival.services.flatMap(({ service, survives }) =>
        ANSWERS.map((answer): Sample => [{ service, answer }, Number(answer === survives)]),
      ),
  },
  {
    name: "nines_address_holders",
    type: "gauge",
    help: "Nodes that hold the addresses of the instance, as far as this node knows: 1 is right.",
    samples: ({ overview }) =>
      overview.holders.map(({ instance: vrrp_instance, holder, rivals }) => [
        { vrrp_instance },
        (holder === undefined ? 0 : 1) + rivals.length,
      ]),
  },
  {
    name: "nines_address_standbys",
    type: "gauge",
    help: "Nodes that are known to be ready to take the addresses over.",
    samples: ({ overview }) =>
      overview.holders.map(({ instance: vrrp_instance, standbys }) => [
        { vrrp_instance },
        standbys.length,
      ]),
  },
  {
    name: "nines_node_known",
    type: "gauge",
    help: "1 while the node is heard, 0 when what is known of it is old.",
    samples: ({ overview }) =>
      overview.nodes.map(({ name: node, state }) => [{ node }, Number(state !== "UNKNOWN")]),
  },
  {
    name: "nines_node_clock_offset_seconds",
    type: "gauge",
    help: "Clock of the node minus this one's.",
    samples: ({ overview }) =>
      overview.nodes.flatMap(({ name: node, clockOffsetMs: ms }): readonly Sample[] =>
        ms === undefined ? [] : [[{ node }, ms / 1e3]],
      ),
  },
  {
    name: "nines_certificate_end_time_seconds",
    type: "gauge",
    help: "Unix time at which the node's certificate of the group ends.",
    samples: ({ overview }) =>
      overview.nodes.flatMap(({ name: node, certificateEndsMs: ms }): readonly Sample[] =>
        ms === undefined ? [] : [[{ node }, ms / 1e3]],
      ),
  },
  {
    name: "nines_console_alerts",
    type: "gauge",
    help: "What the page's list of alerts shows, by level.",
    samples: ({ overview }) =>
      (["error", "warning", "info"] as const).map((level) => [
        { level },
        overview.alerts.filter((alert) => alert.level === level).length,
      ]),
  },
  {
    name: "nines_console_readers",
    type: "gauge",
    help: "Pages that are open.",
    samples: ({ readers }) => [[{}, readers]],
  },
  {
    name: "nines_journal_records_total",
    type: "counter",
    help: "Records of this node's journal, ever.",
    samples: ({ lastSeq }) => [[{}, lastSeq]],
  },
  {
    name: "nines_journal_ok",
    type: "gauge",
    help: "0 while the journal cannot be written; records wait in memory then.",
    samples: ({ isJournalWritten }) => [[{}, Number(isJournalWritten)]],
  },
];

export const CONSOLE_METRIC_NAMES: readonly MetricName[] = METRICS;

/** Whole lines, ending with a newline. */
export function consoleMetrics(numbers: ConsoleNumbers): string {
  const lines = METRICS.flatMap((metric) => metricLines(metric, metric.samples(numbers)));
  return `${lines.join("\n")}\n`;
}
