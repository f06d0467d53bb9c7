/** `nines import FILE`: a configuration of keepalived, HAProxy or nginx becomes a nines.yaml. */

import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { type Diagnostic, formatDiagnostic } from "../config/diagnostic.ts";
import type { Format } from "../config/import/format.ts";
import { importFile, type Imported } from "../config/import/import-file.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export interface ImportCommand {
  readonly file: string;
  /** Where the nines.yaml goes; absent: standard output. */
  readonly output?: string;
  readonly format?: Format;
  readonly permissive: boolean;
  readonly configId?: string;
}

export function importConfiguration(command: ImportCommand, terminal: Terminal): ExitCode {
  const { file, output, ...options } = command;
  if (output !== undefined && existsSync(output)) {
    terminal.err(`nines: ${output} is there already: remove it or choose another name`);
    return 2;
  }
  const imported = importFile(file, {
    ...options,
    newSecret: () => randomBytes(32).toString("hex"),
  });
  const { text, diagnostics, losses } = imported;
  for (const one of [...diagnostics, ...losses]) terminal.err(formatDiagnostic(one));
  if (text === undefined) {
    terminal.err(`${file}: ${plural(diagnostics, "error")}: nothing was imported`);
    return 2;
  }
  if (output === undefined) terminal.out(text.trimEnd());
  else {
    const trouble = written(output, text);
    if (trouble !== undefined) {
      terminal.err(`nines: ${output} cannot be written: ${trouble}`);
      return 2;
    }
  }
  terminal.err(summary(file, imported));
  return needsAHand(imported, output ?? "the result", terminal) ? 1 : 0;
}

/** Why it is not there. It may hold secrets: those of the old file, or new ones. */
function written(output: string, text: string): string | undefined {
  try {
    writeFileSync(output, text, { mode: 0o600, flag: "wx" });
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

function summary(file: string, { losses }: Imported): string {
  const lost = losses.filter((loss) => loss.severity === "warning").length;
  if (lost === 0) return `${file}: everything was carried over`;
  const lines = `${lost} ${lost === 1 ? "thing" : "things"}`;
  return `${file}: ${lines} not carried over, also listed at the end of the nines.yaml`;
}

/** What our own reader refuses is told, never hidden: the person finishes the file. */
function needsAHand({ review }: Imported, name: string, terminal: Terminal): boolean {
  const errors = review.filter((one) => one.severity === "error");
  if (errors.length === 0) return false;
  terminal.err(`nines: ${name} needs a hand before nines accepts it:`);
  for (const one of errors) terminal.err(formatDiagnostic({ ...one, file: name }));
  return true;
}

function plural(list: readonly Diagnostic[], word: string): string {
  const count = list.filter((one) => one.severity === word).length;
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
