/** The whole document becomes the model of the service. */

import { buildModel } from "../../keepalived/model/build.ts";
import type { Origin } from "../../model.ts";
import type { Reading } from "../expand.ts";
import type { ServiceDocument } from "../schema/service-schema.ts";
import type { ServiceModel } from "../service-model.ts";
import { buildBalance } from "./balance.ts";
import { optional } from "./context.ts";
import { nodeOf } from "./nodes.ts";

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
  const origins = new Map<string, Origin>();
  const context = { findings, places, origins };
  const node = nodeOf(document, around, context);
  const vrrp = buildModel([], places.of(document).file, {
    findings,
    permissive: false,
    hostName: node ?? around.hostName,
    readFile: (path) => reading.readFile(path, places.of(document).file),
    origins,
  });
  const { balance, checks } = buildBalance(document, context);
  return {
    vrrp,
    balance,
    checks,
    trackedChecks: [],
    nodes: Object.entries(document.nodes).map(([name, address]) => ({ name, address })),
    ...optional("node", node),
    origins,
  };
}
