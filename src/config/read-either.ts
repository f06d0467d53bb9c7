/** Both languages through one door: `nines.yaml` and `keepalived.conf`. */

import { DEFAULT_BOUNDS } from "../core/journal/retention.ts";
import { DISK } from "./disk.ts";
import type { ConfigurationFiles } from "./keepalived/lines.ts";
import type { Model } from "./model.ts";
import { type ReadOptions, readKeepalivedConf } from "./read-configuration.ts";
import { readServiceYaml, type ServiceReadOptions } from "./service/read-service.ts";
import type { ServiceModel, ServiceReading } from "./service/service-model.ts";

/** What a path and the text behind it look like. */
export function languageOf(path: string, text: string | undefined): "nines" | "keepalived" {
  if (/\.ya?ml$/u.test(path)) return "nines";
  if (path.endsWith(".conf")) return "keepalived";
  const line = text?.split("\n").find((one) => /^\s*[^\s#!]/u.test(one)) ?? "";
  return /^(---|[A-Za-z_"']+\s*:(\s|$))/u.test(line) ? "nines" : "keepalived";
}

/** A keepalived.conf gives a service without a balancer. */
export function readEither(
  path: string,
  options: ReadOptions & ServiceReadOptions = {},
  files: ConfigurationFiles = DISK,
): ServiceReading {
  if (languageOf(path, files.readFile(path)) === "nines") {
    return readServiceYaml(path, options, files);
  }
  const { model, ...reading } = readKeepalivedConf(path, options, files);
  return model === undefined ? reading : { ...reading, service: serviceOf(model) };
}

function serviceOf(vrrp: Model): ServiceModel {
  return {
    vrrp,
    balance: { workers: 1, frontends: [], pools: [] },
    checks: [],
    notices: [],
    trackedChecks: [],
    console: { enabled: true },
    journal: DEFAULT_BOUNDS,
    nodes: [],
    origins: vrrp.origins,
  };
}
