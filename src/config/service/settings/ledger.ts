/** `services` and `ledger` become the settings of the ledger; what is absent gets its default. */

import { shareProblem } from "../../../core/ledger/budget.ts";
import { unreachableRules } from "../../../core/ledger/burn.ts";
import {
  type AlertSettings,
  DEFAULT_CLASSES,
  DEFAULT_FALSE_START_MS,
  DEFAULT_MERGE_MS,
  type Layer,
  type LayerObjective,
  type LedgerService,
  type LedgerSettings,
  type Objectives,
  type PlannedWindow,
} from "../../../core/ledger/settings.ts";
import type { BalanceSettings, FrontendSettings } from "../../../core/proxy/frontend-settings.ts";
import type { CommandDocument } from "../schema/keyword-schema.ts";
import type { LedgerDocument, ServicesDocument } from "../schema/ledger-schema.ts";
import { type BuildContext, commandOf, optional, remember, requireName } from "./context.ts";

/** What services can be made of. */
export interface ServiceParts {
  readonly balance: BalanceSettings;
  readonly instances: readonly string[];
}

type OneService = ServicesDocument[string];

export function buildLedger(
  document: { readonly services: ServicesDocument; readonly ledger: LedgerDocument },
  parts: ServiceParts,
  context: BuildContext,
): LedgerSettings {
  const { services, ledger } = document;
  const built = Object.entries(services).map(([name, one]) =>
    buildService(name, one, { parts, context }),
  );
  checkTimezone(ledger, context);
  const names = built.map(({ name }) => name);
  return {
    services: built.length > 0 ? built : defaultServices(parts),
    classes: ledger.classes,
    mergeMs: ledger.merge,
    falseStartMs: ledger.false_start,
    timezone: ledger.timezone,
    planned: plannedOf(ledger, names, context),
    alerts: alertsOf(ledger, context),
  };
}

/** Of a file that says nothing of services, and of a keepalived.conf. */
export function defaultLedger(parts: ServiceParts): LedgerSettings {
  return {
    services: defaultServices(parts),
    classes: DEFAULT_CLASSES,
    mergeMs: DEFAULT_MERGE_MS,
    falseStartMs: DEFAULT_FALSE_START_MS,
    timezone: "UTC",
    planned: [],
    alerts: { mail: true, webhooks: [], commands: [] },
  };
}

const DEFAULT_OBJECTIVES: Objectives = { availability: 0.999, windowMs: 30 * 86_400_000 };

function defaultServices(parts: ServiceParts): LedgerService[] {
  const { frontends } = parts.balance;
  const common = {
    critical: true,
    probes: [],
    objectives: DEFAULT_OBJECTIVES,
    layers: [],
    owners: [],
    minEvents: 100,
  };
  if (frontends.length === 0) {
    return parts.instances.map((name) => {
      return { name, frontends: [], pools: [], instances: [name], ...common };
    });
  }
  return frontends.map((frontend) => ({
    name: frontend.name,
    frontends: [frontend.name],
    pools: poolsOf([frontend]),
    // Every address leads to every frontend, as far as anybody can tell.
    instances: parts.instances,
    ...common,
  }));
}

function buildService(
  name: string,
  one: OneService,
  { parts, context }: { readonly parts: ServiceParts; readonly context: BuildContext },
): LedgerService {
  const { places, findings } = context;
  remember(context, `service ${name}`, places.of(one));
  const known = parts.balance.frontends.map((frontend) => frontend.name);
  for (const [i, wanted] of (one.frontends ?? []).entries()) {
    requireName(places.at(one.frontends!, i), "frontend", known, { wanted, context });
  }
  for (const [i, wanted] of (one.addresses ?? []).entries()) {
    requireName(places.at(one.addresses!, i), "address", parts.instances, { wanted, context });
  }
  const frontends = one.frontends ?? (known.includes(name) ? [name] : []);
  const own = parts.balance.frontends.filter((frontend) => frontends.includes(frontend.name));
  const byName = parts.instances.includes(name) ? [name] : undefined;
  const instances = one.addresses ?? byName ?? (frontends.length > 0 ? parts.instances : []);
  if (frontends.length + instances.length === 0) {
    const next = "add: frontends: [NAME] or addresses: [NAME]";
    findings.error(places.of(one), `service ${name} is made of nothing`, next);
  }
  const owners = Object.entries(one.owners).map(([owner, share]) => ({ name: owner, share }));
  const problem = shareProblem(owners);
  if (problem !== undefined) {
    findings.error(places.key(one, "owners"), problem, "write shares that make 100");
  }
  for (const reason of unreachableRules(one.availability / 100)) {
    findings.warn(places.at(one, "availability"), reason, "the others still watch the budget");
  }
  return {
    name,
    critical: one.critical,
    frontends,
    pools: poolsOf(own),
    instances,
    probes: one.probes,
    objectives: objectivesOf(one),
    layers: layersOf(one),
    owners,
    minEvents: one.min_events,
  };
}

/** Where the requests of frontends go. */
function poolsOf(frontends: readonly FrontendSettings[]): string[] {
  const names = frontends.flatMap(({ defaultPool, routes }) => [
    ...(defaultPool === undefined ? [] : [defaultPool]),
    ...routes.flatMap(({ target }) =>
      target.kind === "pools" ? target.pools.map(({ pool }) => pool) : [],
    ),
  ]);
  return [...new Set(names)];
}

function objectivesOf(one: OneService): Objectives {
  const { availability, window: windowMs, latency, rto, rpo } = one;
  return {
    availability: share(availability),
    windowMs,
    ...optional(
      "latency",
      latency === undefined ? undefined : { belowMs: latency.below, share: share(latency.share) },
    ),
    ...optional("rtoMs", rto),
    ...optional("rpoMs", rpo),
  };
}

/** 99.95 / 100 is 0.9995000000000001 where 0.9995 is meant. */
function share(percent: number): number {
  return Number((percent / 100).toFixed(11));
}

function layersOf({ layers }: OneService): LayerObjective[] {
  return (["address", "balancer", "server"] as const).flatMap((layer: Layer) => {
    const one = layers[layer];
    if (one === undefined) return [];
    return [{ layer, availability: share(one.availability), ...optional("rtoMs", one.rto) }];
  });
}

function plannedOf(
  { maintenance }: LedgerDocument,
  names: readonly string[],
  context: BuildContext,
): PlannedWindow[] {
  const { findings, places } = context;
  return maintenance.flatMap((window) => {
    const { from, to, services, reason } = window;
    if (to <= from) findings.error(places.at(window, "to"), "it ends before it begins");
    for (const [i, wanted] of services.entries()) {
      requireName(places.at(services, i), "service", names, { wanted, context });
    }
    const whose = services.length === 0 ? [""] : services;
    return whose.map((service) => ({ service, fromMs: from, toMs: to, reason }));
  });
}

function alertsOf({ alerts }: LedgerDocument, context: BuildContext): AlertSettings {
  return {
    mail: alerts.mail,
    webhooks: alerts.webhooks,
    commands: (alerts.commands as readonly CommandDocument[]).map((c) => commandOf(c, context)),
  };
}

function checkTimezone(ledger: LedgerDocument, { findings, places }: BuildContext): void {
  try {
    Intl.DateTimeFormat("en", { timeZone: ledger.timezone });
  } catch {
    const reason = `there is no time zone '${ledger.timezone}'`;
    findings.error(
      places.at(ledger, "timezone"),
      reason,
      "write UTC, Europe/Berlin, Asia/Shanghai",
    );
  }
}
