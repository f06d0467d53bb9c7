/** The entrance: a `nines.yaml` becomes a service, or a list of everything wrong with it. */

import { hostname } from "node:os";
import { normalize } from "node:path";
import { type Diagnostic, Findings, type Place, sortDiagnostics } from "../diagnostic.ts";
import { DISK, unreadable } from "../disk.ts";
import type { ConfigurationFiles } from "../keepalived/lines.ts";
import { directoryOf } from "../keepalived/parameters.ts";
import { convert } from "./convert.ts";
import { DocumentReader } from "./document/include.ts";
import type { TreeNode } from "./document/tree.ts";
import { expand, type Reading, type Schema } from "./expand.ts";
import { checkShape, compile } from "./mistakes.ts";
import { Places } from "./places.ts";
import { removeMistakes } from "./remove-mistakes.ts";
import { type ServiceDocument, serviceSchema } from "./schema/service-schema.ts";
import type { ServiceModel, ServiceReading } from "./service-model.ts";
import { buildService } from "./settings/service.ts";

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
  options: ServiceReadOptions = {},
  files: ConfigurationFiles = DISK,
): ServiceReading {
  const findings = new Findings();
  const reader = new DocumentReader(files, options.environment ?? process.env, findings);
  const tree = reader.read(path);
  if (tree === undefined) {
    const at = { file: path, line: 1, column: 1, text: "" };
    findings.error(at, ...unreadable(path, files));
    return { diagnostics: findings.list, texts: new Map(), sourceLine: () => undefined };
  }
  const reading: Reading = {
    findings,
    places: new Places(path),
    readFile: (name, from) => files.readFile(beside(name, from)),
    glob: (pattern) => files.glob(pattern),
    beside,
  };
  const before = findings.list.length;
  const service = reader.isWhole ? readTree(tree, reading, options) : undefined;
  const outcome =
    service !== undefined && (findings.failed ? { unfinished: service } : { service });
  return {
    ...outcome,
    diagnostics: sortDiagnostics(withoutEchoes(findings.list, before)),
    texts: reader.texts,
    sourceLine: (at: Place) => reader.sources.get(at.file)?.[at.line - 1],
  };
}

/** What stands for a variable that is not set is wrong in itself: once is enough. */
function withoutEchoes(list: readonly Diagnostic[], before: number): readonly Diagnostic[] {
  const place = ({ file, line, column }: Diagnostic): string => `${file}:${line}:${column}`;
  const wrong = list.slice(0, before).filter(({ severity }) => severity === "error");
  const told = new Set(wrong.map(place));
  return list.filter((one, index) => index < before || !told.has(place(one)));
}

/** Compiling takes some 50 ms: once in a process, and only if a file is read. */
let check: ReturnType<typeof compile> | undefined;

function readTree(
  tree: TreeNode,
  reading: Reading,
  options: ServiceReadOptions,
): ServiceModel | undefined {
  const schema = serviceSchema as unknown as Schema;
  const data = expand(schema, tree, reading);
  check ??= compile(schema);
  const around = { ...options, hostName: options.hostName ?? hostname() };
  const build = (into: Reading): ServiceModel =>
    buildService(convert(schema, data, into) as ServiceDocument, into, around);
  if (checkShape(check, data, reading)) return build(reading);
  // What is left without the mistakes still says something; what it lacks is nobody's mistake.
  if (!removeMistakes(check, data)) return undefined;
  return build({ ...reading, findings: reading.findings.silent() });
}

/** Files are named as seen from the file that names them. */
function beside(name: string, from: string): string {
  return name.startsWith("/") ? name : normalize(`${directoryOf(from)}/${name}`);
}
