/** The whole document becomes the model of the service. */

import type { Origin } from "../../model.ts";
import type { Reading } from "../expand.ts";
import type { ServiceDocument } from "../schema/service-schema.ts";
import type { ServiceModel } from "../service-model.ts";
import { buildBalance } from "./balance.ts";
import { buildConsole } from "./console.ts";
import { optional } from "./context.ts";
import { buildLedger } from "./ledger.ts";
import { nodeOf } from "./nodes.ts";
import { buildProbes } from "./probes.ts";
import { buildVrrp } from "./vrrp.ts";

export interface Whereabouts {
  readonly hostName: string;
  readonly node?: string;
}

export function buildService(
  document: ServiceDocument,
  reading: Reading,
  around: Whereabouts,
): ServiceModel {
  const { findings, places } = reading;
  const context = { findings, places, origins: new Map<string, Origin>() };
  const node = nodeOf(document, around, context);
  const { hostName } = around;
  const { vrrp, trackedChecks } = buildVrrp(document, {
    reading,
    context,
    hostName,
    ...optional("node", node),
  });
  const { balance, checks, notices } = buildBalance(document, vrrp, context);
  const instances = vrrp.vrrp.instances.map(({ name }) => name);
  const ledger = buildLedger(document, { balance, instances }, context);
  return {
    vrrp,
    balance,
    checks,
    notices,
    trackedChecks,
    console: buildConsole(document, context),
    journal: {
      maxAgeMs: document.journal.age,
      maxBytes: document.journal.size,
      maxRows: document.journal.records,
    },
    ledger,
    probes: buildProbes(document, ledger.services, context),
    nodes: Object.entries(document.nodes).map(([name, address]) => ({ name, address })),
    ...optional("node", node),
    origins: context.origins,
  };
}
