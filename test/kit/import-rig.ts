/** Imports a configuration the same way on every machine, and looks at what it makes of each line. */

import { type Diagnostic, formatDiagnostic } from "../../src/config/diagnostic.ts";
import { DISK } from "../../src/config/disk.ts";
import type { Format } from "../../src/config/import/format.ts";
import {
  importFile,
  type Imported,
  type ImportOptions,
} from "../../src/config/import/import-file.ts";
import type { ConfigurationFiles } from "../../src/config/keepalived/lines.ts";

export const IMPORT_OPTIONS: ImportOptions = {
  newSecret: () => "5ec2e7".repeat(10) + "abcd",
  configId: "node1",
  hostName: "node1.example.com",
  environment: {},
};

export function imported(
  path: string,
  options: Partial<ImportOptions> = {},
  files: ConfigurationFiles = DISK,
): Imported {
  return importFile(path, { ...IMPORT_OPTIONS, ...options }, files);
}

/** The disk with one file changed. */
export function changedFile(path: string, text: string): ConfigurationFiles {
  return { ...DISK, readFile: (name) => (name === path ? text : DISK.readFile(name)) };
}

export function told(list: readonly Diagnostic[]): string[] {
  return list.map((one) => formatDiagnostic(one));
}

/** Both say the same: the file without its comments at the end, losses, mistakes. */
function sameWords(a: Imported, b: Imported): boolean {
  const differs = (of: "losses" | "diagnostics" | "review"): boolean =>
    told(a[of]).join("\n") !== told(b[of]).join("\n");
  return a.text === b.text && !differs("losses") && !differs("diagnostics") && !differs("review");
}

/** Losses that stand for a whole block say where it ends. */
function isInside(losses: readonly Diagnostic[], line: number): boolean {
  return losses.some((loss) => {
    const last = Number(/^the whole (?:block|section) to line (\d+)/u.exec(loss.next)?.[1] ?? 0);
    return loss.line <= line && line <= last;
  });
}

/**
 * Lines that could be taken out without any change in what the import says: neither used nor told.
 * A line that opens or closes a block is looked at with the block. `file`: one that it includes.
 */
export function silentLines(path: string, format: Format, file: string = path): string[] {
  const source = DISK.readFile(file)!;
  const whole = imported(path, { format });
  if (whole.text === undefined) return [];
  const lines = source.split("\n");
  return lines.flatMap((text, index) => {
    const isPlain = !/[{}]/u.test(text) || format === "haproxy";
    const comment = format === "keepalived" ? /^\s*([#!]|$)/u : /^\s*(#|$)/u;
    if (!isPlain || comment.test(text)) return [];
    const losses = whole.losses.filter((loss) => loss.file === file);
    if (losses.some((loss) => loss.line === index + 1)) return [];
    if (isInside(losses, index + 1)) return [];
    const without = lines.with(index, "").join("\n");
    const after = imported(path, { format }, changedFile(file, without));
    return sameWords(after, whole) ? [`${index + 1}: ${text.trim()}`] : [];
  });
}
