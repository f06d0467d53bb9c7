/** The entrance: a `nines.yaml` becomes a service, or a list of everything wrong with it. */

import type { ConfigurationFiles } from "../keepalived/lines.ts";
import type { ServiceReading } from "./service-model.ts";

export interface ServiceReadOptions {
  /** Which of `nodes` this machine is. Default: the host name, whole or its first label. */
  readonly node?: string;
  /** Default: the host name of this machine. */
  readonly hostName?: string;
  /** For `${NAME}`. Default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Reads `nines.yaml` and what it includes. Never throws on what a file contains. */
export function readServiceYaml(
  path: string,
  _options: ServiceReadOptions = {},
  _files?: ConfigurationFiles,
): ServiceReading {
  const at = { file: path, line: 1, column: 1, text: "" };
  const reason = "nines.yaml is not read yet";
  return {
    diagnostics: [{ ...at, severity: "error", reason, next: "" }],
    sourceLine: () => undefined,
  };
}
