/** The ledger for Prometheus: `nines_slo_*`. Names and labels are listed in docs/ledger.md. */

import type { Ledger } from "../core/ledger/ledger.ts";
import type { LedgerSettings } from "../core/ledger/settings.ts";
import type { ServiceSummary } from "./ledger-summary.ts";

interface Row {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly type: "gauge";
  readonly help: string;
  readonly rows: readonly Row[];
}

export interface LedgerFacts {
  readonly settings: LedgerSettings;
  readonly ledger: Ledger;
  readonly summaries: readonly ServiceSummary[];
}

/** Text exposition format 0.0.4, whole lines. */
export function ledgerMetrics(facts: LedgerFacts): string {
  return familiesOf(facts)
    .filter(({ rows }) => rows.length > 0)
    .map(({ name, type, help, rows }) => {
      const lines = rows.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`);
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
    })
    .join("");
}

function familiesOf(facts: LedgerFacts): Family[] {
  return [...summaryFamilies(facts), ...burnFamilies(facts.ledger), ...incidentFamilies(facts)];
}

const gauge = "gauge" as const;

function summaryFamilies({ settings: { services }, summaries }: LedgerFacts): Family[] {
  return [
    {
      name: "nines_slo_objective_ratio",
      type: gauge,
      help: "Share of requests and time that must be good.",
      rows: services.map(({ name, objectives }) => {
        return { labels: { service: name }, value: objectives.availability };
      }),
    },
    {
      name: "nines_slo_availability_ratio",
      type: gauge,
      help: "Share of good requests within the window of the objective.",
      rows: summaries.flatMap(({ name, byVantage }) =>
        [...byVantage].flatMap(([vantage, { good, bad }]) =>
          good + bad === 0
            ? []
            : [{ labels: { service: name, vantage }, value: good / (good + bad) }],
        ),
      ),
    },
    {
      name: "nines_slo_error_budget_remaining_ratio",
      type: gauge,
      help: "Part of the window's allowed bad minutes that is left; negative: overdrawn.",
      rows: summaries.map(({ name, budget }) => {
        return { labels: { service: name }, value: budget.leftMs / budget.totalMs };
      }),
    },
  ];
}

function incidentFamilies({ settings, ledger }: LedgerFacts): Family[] {
  const { services, classes } = settings;
  return [
    {
      name: "nines_slo_incidents_open",
      type: gauge,
      help: "Incidents that are not over.",
      rows: services.map(({ name }) => {
        const open = ledger.of(name).incidents.filter(({ state }) => state !== "closed");
        return { labels: { service: name }, value: open.length };
      }),
    },
    {
      name: "nines_slo_incidents",
      type: gauge,
      help: "Incidents that count, as far as the journal reaches.",
      rows: services.flatMap(({ name }) =>
        Object.keys(classes).map((given) => {
          const value = ledger
            .of(name)
            .incidents.filter((one) => one.class === given && one.dismissed === undefined).length;
          return { labels: { service: name, class: given }, value };
        }),
      ),
    },
    {
      name: "nines_slo_fault_score",
      type: gauge,
      help: "Fault score as far as the journal reaches: minutes x weight.",
      rows: services.map(({ name }) => {
        const value = ledger.of(name).incidents.reduce((sum, { score }) => sum + score, 0);
        return { labels: { service: name }, value };
      }),
    },
  ];
}

function burnFamilies(ledger: Ledger): Family[] {
  const labels = ({ service, vantage, rule }: Ledger["burns"][number]): Record<string, string> => {
    return { service, vantage, rule: rule.name };
  };
  const windows = ["long", "short"] as const;
  return [
    {
      name: "nines_slo_burn_rate",
      type: gauge,
      help: "How many times as fast as allowed the budget is spent, by alert rule and its windows.",
      rows: ledger.burns.flatMap((burn) =>
        windows.map((window) => ({ labels: { ...labels(burn), window }, value: burn[window] })),
      ),
    },
    {
      name: "nines_slo_alert_firing",
      type: gauge,
      help: "1 while the burn-rate alert fires.",
      rows: ledger.burns.map((burn) => {
        return { labels: labels(burn), value: burn.state === "firing" ? 1 : 0 };
      }),
    },
  ];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => {
    const safe = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
    return `${name}="${safe}"`;
  });
  return `{${parts.join(",")}}`;
}
