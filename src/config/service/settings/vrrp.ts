/** The sections for addresses become the same model that a keepalived.conf gives. */

import { uptime } from "node:os";
import { buildModel } from "../../keepalived/model/build.ts";
import type { Statement } from "../../keepalived/tree.ts";
import type { Model } from "../../model.ts";
import { trackSubject } from "../check-targets.ts";
import type { Reading } from "../expand.ts";
import { type AddressSections, GLOBAL_KEYS, TOP_KEYS } from "../schema/address-schema.ts";
import type { ServiceDocument } from "../schema/service-schema.ts";
import { addressStatements, type AddressSources, groupStatements } from "./addresses.ts";
import { rulePreferences } from "../../keepalived/model/context.ts";
import type { BuildContext } from "./context.ts";
import { blockStatement, keywordStatements, lineStatements, statement } from "./statements.ts";
import { trackDefinitions, trackedCheckStatements, trackKinds } from "./tracks.ts";

export interface BuiltVrrp {
  readonly vrrp: Model;
  readonly trackedChecks: readonly string[];
}

export interface VrrpSources {
  readonly reading: Reading;
  readonly context: BuildContext;
  /** Who we are; absent: there are no nodes. */
  readonly node?: string;
  readonly hostName: string;
}

export function buildVrrp(document: ServiceDocument, sources: VrrpSources): BuiltVrrp {
  const { reading, context, node } = sources;
  const { findings, places, origins } = context;
  const kinds = trackKinds(document, context);
  const trackedChecks = new Set<string>();
  const shared: AddressSources = {
    context,
    nodes: document.nodes,
    ...(node === undefined ? {} : { node }),
    tracks: kinds,
    checkNames: Object.keys(document.checks),
    trackedChecks,
  };
  const instances = addressStatements(document, shared);
  const present = instances.map((one) => one.args[0]!.text);
  const groups = groupStatements(document, shared, present);
  const tree = [
    ...globalStatements(document, context),
    ...trackDefinitions(document, kinds, context),
    ...trackedCheckStatements(trackedChecks, context, document.checks),
    ...instances,
    ...groups,
  ];
  const { file } = places.of(document);
  const model = buildModel(tree, file, {
    findings,
    permissive: false,
    uptimeMs: uptime() * 1000,
    hostName: node ?? sources.hostName,
    readFile: (path) => reading.readFile(path, file),
    glob: (pattern) => reading.glob(pattern),
    origins,
    rulePreferences: rulePreferences(),
  });
  return { vrrp: withoutStandIns(model, trackedChecks), trackedChecks: [...trackedChecks] };
}

/** The runner of checks gives the verdict: no script is run for it. */
function withoutStandIns(model: Model, checks: ReadonlySet<string>): Model {
  const subjects = new Set([...checks].map(trackSubject));
  const scripts = model.vrrp.scripts.filter((script) => !subjects.has(script.name));
  return { ...model, vrrp: { ...model.vrrp, scripts } };
}

function globalStatements(document: AddressSections, context: BuildContext): Statement[] {
  const { places } = context;
  const { global } = document;
  const at = places.of(global);
  const lines = (keyword: string, texts: readonly string[]): Statement[] => {
    if (texts.length === 0) return [];
    const block = lineStatements((i) => places.at(texts, i), texts);
    return [{ ...statement(places.of(texts), keyword), block }];
  };
  return [
    blockStatement(at, ["global_defs"], keywordStatements(global, GLOBAL_KEYS, context)),
    ...keywordStatements(global, TOP_KEYS, context),
    ...lines("static_ipaddress", document.static.addresses),
    ...lines("static_routes", document.static.routes),
    ...lines("static_rules", document.static.rules),
    ...interfaceStatements(document, context),
  ];
}

function interfaceStatements(
  { interfaces }: Pick<AddressSections, "interfaces">,
  { places }: BuildContext,
): Statement[] {
  return Object.entries(interfaces).flatMap(([name, document]) => {
    const at = places.of(document);
    const { down_delay: down, up_delay: up, garp_interval: garp, gna_interval: gna } = document;
    const { poll } = document;
    const seconds = (ms: number): string => `${ms / 1000}`;
    const result: Statement[] = [];
    if (down !== undefined || up !== undefined) {
      const line = statement(at, name, seconds(down ?? 0), seconds(up ?? down ?? 0));
      result.push(blockStatement(at, ["interface_up_down_delays"], [line]));
    }
    if (poll !== undefined) {
      result.push(blockStatement(at, ["linkbeat_interfaces"], [statement(at, name, poll)]));
    }
    if (garp !== undefined || gna !== undefined) {
      const block = [statement(at, "interface", name)];
      if (garp !== undefined) block.push(statement(at, "garp_interval", seconds(garp)));
      if (gna !== undefined) block.push(statement(at, "gna_interval", seconds(gna)));
      result.push(blockStatement(at, ["garp_group"], block));
    }
    return result;
  });
}
