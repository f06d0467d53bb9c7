/** What is wrong with a configuration, where, why, and what to do about it. */

/** A place in the text of a configuration. Lines and columns start at 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The offending text. */
  readonly text: string;
}

/**
 * `error`: nothing is started. `warning`: it will hurt, or something is ignored. `note`: worth
 * knowing.
 */
export type Severity = "error" | "warning" | "note";

export interface Diagnostic extends Place {
  readonly severity: Severity;
  /** One clause without a full stop. */
  readonly reason: string;
  /** The next move of the operator; empty when the reason says it all. */
  readonly next: string;
}

/** More of one kind than anybody reads; the rest of them is counted only. */
const MOST_FINDINGS = 500;

/** Collects everything that is wrong, so that one run tells it all. */
export class Findings {
  readonly list: Diagnostic[] = [];
  dropped = 0;
  readonly #told = new Set<string>();
  readonly #counts: Record<Severity, number> = { error: 0, warning: 0, note: 0 };

  error(at: Place, reason: string, next = ""): void {
    this.add("error", at, reason, next);
  }

  warn(at: Place, reason: string, next = ""): void {
    this.add("warning", at, reason, next);
  }

  note(at: Place, reason: string, next = ""): void {
    this.add("note", at, reason, next);
  }

  add(severity: Severity, at: Place, reason: string, next: string): void {
    const { file, line, column, text } = at;
    // A line that a sequence repeats is wrong once.
    const key = `${file}:${line}:${column} ${severity} ${reason}`;
    if (this.#told.has(key)) return;
    // Each kind has room of its own: no number of warnings hides a mistake.
    if (++this.#counts[severity] > MOST_FINDINGS) {
      this.dropped++;
      return;
    }
    this.#told.add(key);
    this.list.push({ severity, file, line, column, text, reason, next });
  }

  /** For reading something a second time: nothing is told twice. */
  silent(): Findings {
    return new Findings();
  }

  get failed(): boolean {
    return this.#counts.error > 0;
  }
}

/** In reading order; at one place errors come first. */
export function sortDiagnostics(list: readonly Diagnostic[]): Diagnostic[] {
  const rank: Record<Severity, number> = { error: 0, warning: 1, note: 2 };
  return [...list].sort(
    (a, b) =>
      a.file.localeCompare(b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      rank[a.severity] - rank[b.severity],
  );
}

/**
 * `FILE:12:5: error: unknown keyword 'x' - did you mean 'y'?`, followed by the source line and a
 * caret under the offending text when the line is given.
 */
export function formatDiagnostic(d: Diagnostic, sourceLine?: string): string {
  const next = d.next === "" ? "" : ` - ${d.next}`;
  const head = `${d.file}:${d.line}:${d.column}: ${d.severity}: ${d.reason}${next}`;
  if (sourceLine === undefined) return head;
  const before = sourceLine.slice(0, d.column - 1).replace(/[^\t]/gu, " ");
  const room = Math.max(1, sourceLine.length - d.column + 1);
  const length = Math.max(1, Math.min(d.text.length, room));
  return `${head}\n  ${sourceLine}\n  ${before}${"^".repeat(length)}`;
}
