/**
 * Prometheus text exposition (format 0.0.4) of a node's status. One table says everything: name,
 * type, help, and how to get the samples.
 */

import { BALANCE_HISTOGRAMS, BALANCE_METRICS, bucketSamples } from "./balance-metrics.ts";
import type { NodeStatus, RoleProcessStatus } from "./control-api.ts";
import type { InstanceStatus } from "../core/vrrp/status.ts";

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [Labels, number];

export interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  samples(status: NodeStatus): readonly Sample[];
}

const STATES = ["INIT", "BACKUP", "MASTER", "FAULT", "STOPPED"] as const;

const METRICS: readonly Metric[] = [
  one("nines_up", "gauge", "1 while the control process runs.", () => 1),
  {
    name: "nines_info",
    type: "gauge",
    help: "Version of the control process; always 1.",
    samples: (status) => [[{ version: status.version }, 1]],
  },
  one("nines_start_time_seconds", "gauge", "Unix time of the start.", (s) => s.startedWallMs / 1e3),
  one(
    "nines_configuration_loaded_time_seconds",
    "gauge",
    "Unix time at which the configuration in force was read.",
    (s) => s.configuration.loadedWallMs / 1e3,
  ),
  one("nines_configuration_ok", "gauge", "0 when the last reload was refused.", (s) =>
    s.configuration.refused === undefined ? 1 : 0,
  ),
  {
    name: "nines_role_up",
    type: "gauge",
    help: "Processes of the role that run.",
    samples: (s) => byRole(s, (role) => Number(role.state === "running")),
  },
  {
    name: "nines_role_restarts_total",
    type: "counter",
    help: "Starts of the role after an unwanted end.",
    samples: (s) => byRole(s, (role) => role.restarts),
  },
  one("nines_status_age_seconds", "gauge", "Age of the numbers of the vrrp process.", (s) =>
    s.router === undefined ? undefined : s.routerAgeMs / 1e3,
  ),
  one("nines_vrrp_resident_bytes", "gauge", "Resident memory of the vrrp process.", (s) =>
    s.vrrp === undefined ? undefined : s.vrrp.residentBytes,
  ),
  one("nines_vrrp_cpu_seconds_total", "counter", "CPU time of the vrrp process.", (s) =>
    s.vrrp === undefined ? undefined : s.vrrp.cpuMs / 1e3,
  ),
  one("nines_vrrp_limitations", "gauge", "Facilities that could not be had.", (s) =>
    s.vrrp === undefined ? undefined : s.vrrp.limitations.length,
  ),
  one("nines_notifications_waiting", "gauge", "Notifications not yet taken over.", (s) =>
    s.vrrp === undefined ? undefined : s.vrrp.notificationsWaiting,
  ),
  one("nines_notifications_dropped_total", "counter", "Superseded at the queue's bound.", (s) =>
    s.vrrp === undefined ? undefined : s.vrrp.notificationsDropped,
  ),
  one("nines_lateness_seconds_last", "gauge", "How late the router was woken last.", (s) =>
    s.router === undefined ? undefined : s.router.lateness.lastMs / 1e3,
  ),
  one("nines_lateness_seconds_max", "gauge", "How late the router was woken at worst.", (s) =>
    s.router === undefined ? undefined : s.router.lateness.maxMs / 1e3,
  ),
  one("nines_lateness_seconds_p99", "gauge", "99th percentile of the lateness.", (s) =>
    s.router === undefined ? undefined : s.router.lateness.p99Ms / 1e3,
  ),
  {
    name: "nines_vrrp_rejected_total",
    type: "counter",
    help: "Received packets that were not believed, by reason.",
    samples: (s) =>
      Object.entries(s.router?.rejected ?? {}).map(([reason, count]) => [{ reason }, count]),
  },
  perInstance("nines_vrrp_master", "gauge", "1 while this node holds the addresses.", (i) =>
    Number(i.state === "MASTER"),
  ),
  {
    name: "nines_vrrp_state",
    type: "gauge",
    help: "1 for the state the instance is in, 0 for the others.",
    samples: (s) =>
      (s.router?.instances ?? []).flatMap((i) =>
        STATES.map((state): Sample => [{ ...labels(i), state }, Number(i.state === state)]),
      ),
  },
  {
    name: "nines_vrrp_state_age_seconds",
    type: "gauge",
    help: "Time since the last change of state.",
    samples: (s) =>
      (s.router?.instances ?? []).map((i) => [
        labels(i),
        Math.max(0, (s.router?.nowMs ?? 0) - i.sinceMs) / 1e3,
      ]),
  },
  perInstance(
    "nines_vrrp_priority",
    "gauge",
    "Priority after tracking.",
    (i) => i.effectivePriority,
  ),
  perInstance(
    "nines_vrrp_base_priority",
    "gauge",
    "Priority as configured.",
    (i) => i.basePriority,
  ),
  perInstance(
    "nines_vrrp_advert_interval_seconds",
    "gauge",
    "Interval in force.",
    (i) => i.advertIntervalMs / 1e3,
  ),
  perInstance(
    "nines_vrrp_master_down_interval_seconds",
    "gauge",
    "Silence that means death.",
    (i) => i.masterDownIntervalMs / 1e3,
  ),
  perInstance("nines_vrrp_split_brain", "gauge", "1 while two masters are heard.", (i) =>
    Number(i.splitBrain !== undefined),
  ),
  perInstance(
    "nines_vrrp_lease_seconds",
    "gauge",
    "Length of the kernel-held lease; 0: none.",
    (i) => (i.lease.enabled ? i.lease.durationMs / 1e3 : 0),
  ),
  {
    name: "nines_vrrp_track_ok",
    type: "gauge",
    help: "1 while what is tracked is well.",
    samples: (s) =>
      (s.router?.instances ?? []).flatMap((i) =>
        i.tracks.map((track): Sample => [
          { vrrp_instance: i.name, kind: track.kind, name: track.name },
          Number(track.ok),
        ]),
      ),
  },
  {
    name: "nines_vrrp_witness_reachable",
    type: "gauge",
    help: "1 while the reference address answers.",
    samples: (s) =>
      (s.router?.instances ?? []).flatMap((i) =>
        i.witnesses.map((witness): Sample => [
          { vrrp_instance: i.name, address: witness.address },
          Number(witness.reachable),
        ]),
      ),
  },
  counter("nines_vrrp_adverts_sent_total", "Adverts sent.", "advertsSent"),
  counter("nines_vrrp_adverts_received_total", "Adverts believed.", "advertsReceived"),
  counter("nines_vrrp_became_master_total", "Changes to MASTER.", "becameMaster"),
  counter("nines_vrrp_released_master_total", "Changes away from MASTER.", "releasedMaster"),
  counter("nines_vrrp_priority_zero_sent_total", "Resignations sent.", "priorityZeroSent"),
  counter("nines_vrrp_priority_zero_received_total", "Resignations heard.", "priorityZeroReceived"),
  counter("nines_vrrp_split_brains_total", "Split brains found.", "splitBrains"),
  counter("nines_vrrp_address_restores_total", "Addresses put back.", "addressRestores"),
  counter("nines_vrrp_lease_lapses_total", "Leases that lapsed.", "leaseLapses"),
  counter("nines_vrrp_starvations_total", "Too late to be trusted.", "starvations"),
];

/** What there is, for dashboards and rules. */
export interface MetricName {
  readonly name: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly help: string;
}

export const METRIC_NAMES: readonly MetricName[] = [
  ...[...METRICS, ...BALANCE_METRICS].map(({ name, type, help }) => ({ name, type, help })),
  ...BALANCE_HISTOGRAMS.map(({ name, help }) => ({ name, type: "histogram" as const, help })),
];

/** The lines of one metric; none without samples. */
export function metricLines(
  { name, type, help }: MetricName,
  samples: readonly Sample[],
): readonly string[] {
  if (samples.length === 0) return [];
  const lines = samples.map(
    ([labelSet, value]) => `${name}${formatLabels(labelSet)} ${formatValue(value)}`,
  );
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}

/** The whole page, ending with a newline. */
export function formatMetrics(status: NodeStatus): string {
  const lines: string[] = [];
  for (const metric of [...METRICS, ...BALANCE_METRICS]) {
    for (const line of metricLines(metric, metric.samples(status))) lines.push(line);
  }
  for (const metric of BALANCE_HISTOGRAMS) {
    const { name, help } = metric;
    const found = metric.histograms(status);
    if (found.length > 0) lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} histogram`);
    for (const [labelSet, numbers] of found) {
      for (const [suffix, more, value] of bucketSamples(numbers)) {
        lines.push(
          `${name}${suffix}${formatLabels({ ...labelSet, ...more })} ${formatValue(value)}`,
        );
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Workers are several of one role. */
function byRole(
  status: NodeStatus,
  number: (role: RoleProcessStatus) => number,
): readonly Sample[] {
  const sums = new Map<string, number>();
  for (const role of status.roles) sums.set(role.name, (sums.get(role.name) ?? 0) + number(role));
  return [...sums].map(([role, sum]) => [{ role }, sum]);
}

function one(
  name: string,
  type: Metric["type"],
  help: string,
  get: (status: NodeStatus) => number | undefined,
): Metric {
  return {
    name,
    type,
    help,
    samples(status) {
      const value = get(status);
      return value === undefined ? [] : [[{}, value]];
    },
  };
}

function perInstance(
  name: string,
  type: Metric["type"],
  help: string,
  get: (instance: InstanceStatus) => number,
): Metric {
  const samples = (status: NodeStatus): readonly Sample[] =>
    (status.router?.instances ?? []).map((instance) => [labels(instance), get(instance)]);
  return { name, type, help, samples };
}

function counter(name: string, help: string, key: keyof InstanceStatus["counters"]): Metric {
  return perInstance(name, "counter", help, (instance) => instance.counters[key]);
}

function labels(instance: InstanceStatus): Labels {
  return {
    // `instance` is what Prometheus itself calls whom it asks.
    vrrp_instance: instance.name,
    interface: instance.interface,
    vrid: String(instance.vrid),
    family: instance.family,
  };
}

function formatLabels(labelSet: Labels): string {
  const parts = Object.entries(labelSet).map(([key, value]) => `${key}="${escape(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function formatValue(value: number): string {
  if (value === Infinity) return "+Inf";
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(12)));
}
