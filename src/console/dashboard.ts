/** A dashboard for Grafana: the questions of the page first, then a panel for every metric that there is. */

import { METRIC_NAMES, type MetricName } from "../daemon/metrics.ts";
import { CONSOLE_METRIC_NAMES } from "./console-metrics.ts";

const WIDTH = 24;
const HEIGHT = 7;
const PANEL = 8;
const SOURCE = { type: "prometheus", uid: "${source}" };
const RANGE = "$__rate_interval";

interface Panel {
  readonly title: string;
  readonly help: string;
  readonly expr: string;
  readonly legend: string;
  readonly unit: string;
}

/** What one looks at first. */
const FIRST: readonly Panel[] = [
  {
    title: "Is it up",
    help: "1 while the service is in that state.",
    expr: "max by (service, state) (nines_service_state) == 1",
    legend: "{{service}} {{state}}",
    unit: "short",
  },
  {
    title: "May the next machine fail",
    help: "1 for the answer that holds.",
    expr: "max by (service, answer) (nines_service_survives) == 1",
    legend: "{{service}} {{answer}}",
    unit: "short",
  },
  {
    title: "Requests",
    help: "Of all frontends, a second.",
    expr: `sum by (frontend) (rate(nines_frontend_requests_total[${RANGE}]))`,
    legend: "{{frontend}}",
    unit: "reqps",
  },
  {
    title: "Answers of 500 and above",
    help: "Their share of all answers.",
    expr:
      `sum by (frontend) (rate(nines_frontend_responses_total{class="5xx"}[${RANGE}])) / ` +
      `sum by (frontend) (rate(nines_frontend_requests_total[${RANGE}]))`,
    legend: "{{frontend}}",
    unit: "percentunit",
  },
  {
    title: "Time of 99 in 100 requests",
    help: "From the first byte of a request to the last of its answer.",
    expr:
      "histogram_quantile(0.99, sum by (frontend, le) " +
      `(rate(nines_frontend_request_seconds_bucket[${RANGE}])))`,
    legend: "{{frontend}}",
    unit: "s",
  },
  {
    title: "Takeovers",
    help: "Instances that became master, an hour.",
    expr: "increase(nines_vrrp_became_master_total[1h])",
    legend: "{{vrrp_instance}} on {{instance}}",
    unit: "short",
  },
];

const ROWS: readonly (readonly [title: string, pattern: RegExp])[] = [
  ["Service and group", /^nines_(service|address|node|certificate|console|journal)_/u],
  ["Addresses", /^nines_vrrp_/u],
  ["Frontends", /^nines_frontend_/u],
  ["Pools and servers", /^nines_(pool|server)_/u],
  ["Processes", /^nines_/u],
];

export function dashboardFile(): string {
  const names = [...CONSOLE_METRIC_NAMES, ...METRIC_NAMES];
  const panels: object[] = [];
  let y = 0;
  const add = (title: string, all: readonly Panel[], isOpen: boolean): void => {
    const placed = all.map((panel, i) => panelOf(panel, { index: i, y: y + 1 }));
    const base = { type: "row", title, collapsed: !isOpen, gridPos: { h: 1, w: WIDTH, x: 0, y } };
    // Closed rows hold their panels; open ones are followed by them.
    panels.push({ ...base, panels: isOpen ? [] : placed }, ...(isOpen ? placed : []));
    y += 1 + (isOpen ? Math.ceil(all.length / (WIDTH / PANEL)) * HEIGHT : 0);
  };
  add("First", FIRST, true);
  let rest: readonly MetricName[] = names;
  for (const [title, pattern] of ROWS) {
    add(title, rest.filter(({ name }) => pattern.test(name)).map(panelOfMetric), false);
    rest = rest.filter(({ name }) => !pattern.test(name));
  }
  return `${JSON.stringify({ ...FRAME, panels: numbered(panels) }, undefined, 2)}\n`;
}

const FRAME = {
  uid: "nines",
  title: "Nines",
  tags: ["nines"],
  schemaVersion: 39,
  editable: true,
  refresh: "10s",
  time: { from: "now-1h", to: "now" },
  templating: {
    list: [{ name: "source", label: "Prometheus", type: "datasource", query: "prometheus" }],
  },
};

function panelOfMetric({ name, type, help }: MetricName): Panel {
  const unit = /_seconds(_|$)/u.test(name) ? "s" : name.includes("_bytes") ? "bytes" : "short";
  if (type === "gauge") return { title: name, help, expr: name, legend: "__auto", unit };
  if (type === "counter") {
    const expr = `rate(${name}[${RANGE}])`;
    return { title: name, help, expr, legend: "__auto", unit };
  }
  const expr = `histogram_quantile(0.99, sum by (le) (rate(${name}_bucket[${RANGE}])))`;
  return { title: `${name}, 99 in 100`, help, expr, legend: "p99", unit };
}

function panelOf(
  { title, help, expr, legend, unit }: Panel,
  { index, y }: { readonly index: number; readonly y: number },
): object {
  const inRow = WIDTH / PANEL;
  return {
    type: "timeseries",
    title,
    description: help,
    datasource: SOURCE,
    gridPos: {
      h: HEIGHT,
      w: PANEL,
      x: (index % inRow) * PANEL,
      y: y + Math.floor(index / inRow) * HEIGHT,
    },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: [{ refId: "A", datasource: SOURCE, expr, legendFormat: legend }],
  };
}

/** Grafana wants a number for each. */
function numbered(panels: readonly object[]): readonly object[] {
  let id = 0;
  const number = (panel: object): object => {
    const inside = (panel as { readonly panels?: readonly object[] }).panels;
    const own = { id: ++id, ...panel };
    return inside === undefined ? own : { ...own, panels: inside.map(number) };
  };
  return panels.map(number);
}
