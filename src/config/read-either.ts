/** Both languages through one door: `nines.yaml` and `keepalived.conf`. */

import { DEFAULT_BOUNDS } from "../core/journal/retention.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { DISK } from "./disk.ts";
import type { ConfigurationFiles } from "./keepalived/lines.ts";
import type { Model } from "./model.ts";
import { type ReadOptions, readKeepalivedConf } from "./read-configuration.ts";
import { readServiceYaml, type ServiceReadOptions } from "./service/read-service.ts";
import {
  DEFAULT_CONSOLE,
  type ServiceModel,
  type ServiceReading,
} from "./service/service-model.ts";
import { defaultLedger } from "./service/settings/ledger.ts";
import { carryOut, type CarriedOut } from "./virtual/carry-out.ts";

/** What a path and the text behind it look like. */
export function languageOf(path: string, text: string | undefined): "nines" | "keepalived" {
  if (/\.ya?ml$/u.test(path)) return "nines";
  if (path.endsWith(".conf")) return "keepalived";
  const line = text?.split("\n").find((one) => /^\s*[^\s#!]/u.test(one)) ?? "";
  return /^(---|[A-Za-z_"']+\s*:(\s|$))/u.test(line) ? "nines" : "keepalived";
}

/** Virtual servers of a keepalived.conf are a balancer of TCP connections. */
export function readEither(
  path: string,
  options: ReadOptions & ServiceReadOptions = {},
  files: ConfigurationFiles = DISK,
): ServiceReading {
  if (languageOf(path, files.readFile(path)) === "nines") {
    const reading = readServiceYaml(path, options, files);
    const trouble = misplaced(path, options);
    return { ...reading, diagnostics: [...reading.diagnostics, ...trouble] };
  }
  const { model: whole, unfinished, ...reading } = readKeepalivedConf(path, options, files);
  const model = whole === undefined ? undefined : partOf(whole, options);
  if (model === undefined) {
    return unfinished === undefined ? reading : { ...reading, unfinished: { vrrp: unfinished } };
  }
  const { notes, ...carried } = carryOut(model, path);
  return { ...reading, notes, service: serviceOf(model, carried) };
}

/** Options of keepalived say nothing of a nines.yaml: to go on without them would start what was not wanted. */
function misplaced(file: string, { part, networkNamespace }: ReadOptions): readonly Diagnostic[] {
  if (part === undefined && networkNamespace === undefined) return [];
  const reason = "-P, -C and -s are about a keepalived.conf, and this is a nines.yaml";
  const next = "leave them out; for a namespace: ip netns exec NAME nines run -f FILE";
  return [{ file, line: 1, column: 1, text: "", severity: "error", reason, next }];
}

/** What the command line leaves of a file. */
function partOf(whole: Model, { part, networkNamespace }: ReadOptions): Model {
  const none = {
    instances: [],
    groups: [],
    staticAddresses: [],
    staticRoutes: [],
    staticRules: [],
  };
  return {
    ...whole,
    ...(networkNamespace === undefined ? {} : { networkNamespace }),
    ...(part === "vrrp" ? { virtualServers: [] } : {}),
    ...(part === "check" ? { vrrp: { ...whole.vrrp, ...none } } : {}),
  };
}

function serviceOf(vrrp: Model, carried: Omit<CarriedOut, "notes">): ServiceModel {
  const { balance } = carried;
  return {
    vrrp,
    ...carried,
    trackedChecks: [],
    console: DEFAULT_CONSOLE,
    journal: DEFAULT_BOUNDS,
    ledger: defaultLedger({ balance, instances: vrrp.vrrp.instances.map(({ name }) => name) }),
    probes: [],
    nodes: [],
    origins: vrrp.origins,
  };
}
