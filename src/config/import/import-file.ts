/** `nines import FILE`: a configuration of keepalived, HAProxy or nginx becomes a nines.yaml. */

import { type Diagnostic, Findings, sortDiagnostics } from "../diagnostic.ts";
import { DISK } from "../disk.ts";
import type { ConfigurationFiles } from "../keepalived/lines.ts";
import { readServiceYaml } from "../service/read-service.ts";
import { Draft } from "./draft.ts";
import { type Format, formatOf } from "./format.ts";
import { importHaproxy } from "./haproxy/import-haproxy.ts";
import { importKeepalived } from "./keepalived/import-keepalived.ts";
import { importNginx } from "./nginx/import-nginx.ts";

export interface ImportOptions {
  /** Absent: told by name and content. */
  readonly format?: Format;
  /** Signs cookies that HAProxy did not sign: 32 random bytes in hexadecimal. */
  readonly newSecret: () => string;
  /** Unknown keywords of keepalived.conf are losses, not mistakes. Default false. */
  readonly permissive?: boolean;
  /** For lines marked `@id` in keepalived.conf. Default: the first label of the host name. */
  readonly configId?: string;
  readonly hostName?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

export interface Imported {
  readonly format?: Format;
  /** The nines.yaml. Absent when the file has mistakes that leave nothing to carry over. */
  readonly text?: string;
  /** Mistakes of the file itself. */
  readonly diagnostics: readonly Diagnostic[];
  /** What was not carried over (warnings) and what needs no counterpart (notes). */
  readonly losses: readonly Diagnostic[];
  /** What our own reader says about `text`; an error means that it needs a hand. Read when it is asked for. */
  readonly review: readonly Diagnostic[];
}

/** What every importer gets. */
export interface ImportSource {
  readonly path: string;
  readonly source: string;
  readonly files: ConfigurationFiles;
  readonly options: ImportOptions;
  readonly draft: Draft;
  /** For mistakes of the file itself. */
  readonly findings: Findings;
}

const IMPORTERS: Readonly<Record<Format, (source: ImportSource) => void>> = {
  keepalived: importKeepalived,
  haproxy: importHaproxy,
  nginx: importNginx,
};

export function importFile(
  path: string,
  options: ImportOptions,
  files: ConfigurationFiles = DISK,
): Imported {
  const findings = new Findings();
  const draft = new Draft();
  const source = files.readFile(path);
  const start = { file: path, line: 1, column: 1, text: "" };
  const format = options.format ?? formatOf(path, source ?? "");
  if (source === undefined) {
    findings.error(start, "the file cannot be read", "check its path and its permissions");
  } else if (format === undefined) {
    const next = "name it: --from keepalived, --from haproxy or --from nginx";
    findings.error(start, "this looks like no configuration that Nines imports", next);
  } else IMPORTERS[format]({ path, source, files, options, draft, findings });
  const told = {
    ...(format === undefined ? {} : { format }),
    diagnostics: sortDiagnostics(findings.list),
    losses: draft.losses,
  };
  if (findings.failed) return { ...told, review: [] };
  const text = draft.text(path);
  let read: readonly Diagnostic[] | undefined;
  return {
    ...told,
    text,
    get review() {
      return (read ??= review(text, options));
    },
  };
}

const RESULT = "nines.yaml";

function review(text: string, options: ImportOptions): readonly Diagnostic[] {
  const files: ConfigurationFiles = {
    readFile: (path) => (path === RESULT ? text : DISK.readFile(path)),
    glob: () => [],
  };
  const { hostName, environment } = options;
  const around = {
    ...(hostName === undefined ? {} : { hostName }),
    ...(environment === undefined ? {} : { environment }),
  };
  return readServiceYaml(RESULT, around, files).diagnostics;
}
