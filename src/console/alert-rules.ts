/** Alerts for Prometheus, from one table. A test knows that every metric that they name exists. */

import { stringify } from "yaml";

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  /** How long it must be so, as Prometheus writes it; absent: at once. */
  readonly for?: string;
  /** `page`: wakes somebody; `ticket`: this week's work. */
  readonly severity: "page" | "ticket";
  readonly summary: string;
  /** What to do next. */
  readonly description: string;
}

/**
 * Burn rates as in the Site Reliability Workbook, chapter 5: the ledger measures them, a long and a short
 * window must agree.
 */
export const ALERT_RULES: readonly AlertRule[] = [
  {
    alert: "NinesServiceDown",
    expr: 'max by (service) (nines_service_state{state="down"}) == 1',
    severity: "page",
    summary: "{{ $labels.service }} is down",
    description: "Open the console's page: it says which layer has nobody left, and why.",
  },
  {
    alert: "NinesServiceDegraded",
    expr: 'max by (service) (nines_service_state{state="degraded"}) == 1',
    for: "5m",
    severity: "ticket",
    summary: "{{ $labels.service }} is degraded",
    description: "Users are served, and something that stands behind them is not well.",
  },
  {
    alert: "NinesNextFailureHurts",
    expr: 'max by (service) (nines_service_survives{answer="no"}) == 1',
    for: "10m",
    severity: "ticket",
    summary: "{{ $labels.service }} does not survive the next failure",
    description: "The page's second answer names the machine that must not fail.",
  },
  {
    alert: "NinesSplitBrain",
    expr: "max by (vrrp_instance) (nines_address_holders) > 1",
    severity: "page",
    summary: "{{ $labels.vrrp_instance }} is held twice",
    description: "Two nodes answer for the same addresses: see nines why on both.",
  },
  {
    alert: "NinesAddressUnheld",
    expr: "max by (vrrp_instance) (nines_address_holders) == 0",
    for: "10s",
    severity: "page",
    summary: "Nobody holds {{ $labels.vrrp_instance }}",
    description: "nines why INSTANCE on each node says why it does not take it.",
  },
  {
    alert: "NinesControlDown",
    expr: "nines_up == 0",
    for: "1m",
    severity: "ticket",
    summary: "The control process of {{ $labels.instance }} does not run",
    description: "Addresses and requests go on; nothing can be changed until it is back.",
  },
  {
    alert: "NinesRoleRestarts",
    expr: "increase(nines_role_restarts_total[15m]) > 3",
    severity: "ticket",
    summary: "The {{ $labels.role }} process of {{ $labels.instance }} keeps ending",
    description: "nines events --kind role-ended says how.",
  },
  {
    alert: "NinesNodeUnheard",
    expr: "nines_node_known == 0",
    for: "2m",
    severity: "ticket",
    summary: "{{ $labels.node }} is not heard by {{ $labels.instance }}",
    description: "It may be well: the nodes' consoles talk over TCP port 7601.",
  },
  {
    alert: "NinesClocksApart",
    expr: "abs(nines_node_clock_offset_seconds) > 1",
    for: "10m",
    severity: "ticket",
    summary: "The clock of {{ $labels.node }} differs by more than a second",
    description: "Timelines of the group are put in order by causes, people read clocks: mend NTP.",
  },
  {
    alert: "NinesCertificateEnds",
    expr: "nines_certificate_end_time_seconds - time() < 30 * 86400",
    severity: "ticket",
    summary: "The group's certificate of {{ $labels.node }} ends within 30 days",
    description: "ssh NODE nines cert request | nines cert invite NODE | ssh NODE nines cert join",
  },
  {
    alert: "NinesReloadRefused",
    expr: "nines_configuration_ok == 0",
    for: "5m",
    severity: "ticket",
    summary: "{{ $labels.instance }} runs an older configuration than its file",
    description: "nines check FILE says what is wrong with the file.",
  },
  {
    alert: "NinesPoolEmpty",
    expr: "nines_pool_usable_servers == 0",
    for: "10s",
    severity: "page",
    summary: "Pool {{ $labels.pool }} has no server",
    description: "nines pool {{ $labels.pool }} says why each one is out.",
  },
  {
    alert: "NinesJournalUnwritten",
    expr: "nines_journal_ok == 0",
    for: "5m",
    severity: "ticket",
    summary: "The journal of {{ $labels.instance }} cannot be written",
    description: "Look at the disk of the state directory; the latest records wait in memory.",
  },
];

/** The rules file. */
export function rulesFile(rules: readonly AlertRule[] = ALERT_RULES): string {
  const groups = [
    {
      name: "nines",
      rules: rules.map(({ alert, expr, for: lasting, severity, summary, description }) => ({
        alert,
        expr,
        ...(lasting === undefined ? {} : { for: lasting }),
        labels: { severity },
        annotations: { summary, description },
      })),
    },
  ];
  const head = "# Made by `nines metrics --rules`; changes are lost with the next one.\n";
  return head + stringify({ groups }, { lineWidth: 100 });
}

/** Names of metrics in an expression. */
export function metricsIn(expr: string): readonly string[] {
  return [...expr.matchAll(/\bnines_[a-z0-9_]+/gu)].map(([name]) => name);
}
