/**
 * Rows as aligned columns, two blanks apart, no lines drawn: what a terminal shows and `awk` reads.
 * Widths count code points; colour codes (ESC [ … m) count nothing.
 */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => visibleLength(row[column] ?? ""))),
  );
  return all.map((row) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell + " ".repeat(pad(cell, widths[column] ?? 0)),
      )
      .join("  ")
      .trimEnd(),
  );
}

function pad(cell: string, width: number): number {
  return Math.max(0, width - visibleLength(cell));
}

export function visibleLength(text: string): number {
  // eslint-disable-next-line no-control-regex -- colour codes start with ESC
  return Array.from(text.replaceAll(/\u001B\[[\d;]*m/g, "")).length;
}
