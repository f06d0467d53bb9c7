/** Both languages through one door: `nines.yaml` and `keepalived.conf`. */

import { DEFAULT_BOUNDS } from "../core/journal/retention.ts";
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
    return readServiceYaml(path, options, files);
  }
  const { model, ...reading } = readKeepalivedConf(path, options, files);
  if (model === undefined) return reading;
  const { notes, ...carried } = carryOut(model, path);
  return { ...reading, notes, service: serviceOf(model, carried) };
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
