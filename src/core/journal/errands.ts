/**
 * Drills that one node asked of another: both journals name the same number, so here cause and
 * effect need not be guessed. It was asked before it began or was refused, and it had ended before that
 * was answered.
 */

import type { JournalRecord } from "./record.ts";

const CAUSES: Readonly<Record<string, readonly string[]>> = {
  "drill-started": ["drill-asked"],
  "drill-refused": ["drill-asked"],
  "drill-answered": ["drill-finished", "drill-refused", "drill-started"],
};

/** Effect -> cause, which is of another node. */
export function errandsOf(
  records: Iterable<JournalRecord>,
): ReadonlyMap<JournalRecord, JournalRecord> {
  const known = new Map<string, JournalRecord>();
  const effects: JournalRecord[] = [];
  for (const record of records) {
    if (!record.kind.startsWith("drill-")) continue;
    const id = record.data?.["id"];
    if (typeof id !== "string" || id === "") continue;
    known.set(`${record.kind} ${id}`, record);
    if (CAUSES[record.kind] !== undefined) effects.push(record);
  }
  const found = new Map<JournalRecord, JournalRecord>();
  for (const effect of effects) {
    const id = effect.data?.["id"] as string;
    const causes = CAUSES[effect.kind]!.map((kind) => known.get(`${kind} ${id}`));
    const cause = causes.find((one) => one !== undefined && one.node !== effect.node);
    if (cause !== undefined) found.set(effect, cause);
  }
  return found;
}
