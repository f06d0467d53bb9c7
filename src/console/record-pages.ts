/** Pages of the journal, with what other nodes told between our own records. */

import type { MergedRecord } from "../core/journal/merge.ts";
import type { JournalRecord } from "../core/journal/record.ts";
import type { RecordQuery } from "../drivers/journal-store.ts";
import type { RecordPage, RecordView } from "./api.ts";
import type { RecordSearch } from "./api-routes.ts";

/** A record and when it was by this node's clock. */
export interface PlacedRecord extends RecordView {
  readonly hereMs: number;
}

const LATEST = 50;

/** What the page shows; the rest is for merging and for machines. */
export function recordView(record: JournalRecord): RecordView {
  const { monoMs: _monoMs, boot: _boot, seen: _seen, ...view } = record;
  return view;
}

/** `hereMs`: when that was by this node's clock. */
export function placed(record: JournalRecord, hereMs: number): PlacedRecord {
  return { ...recordView(record), hereMs };
}

/** The end of the story of all nodes, newest first. */
export function latest(story: readonly MergedRecord[]): readonly RecordView[] {
  return story
    .slice(-LATEST)
    .map(({ record }) => recordView(record))
    .toReversed();
}

/**
 * One page: our own records decide how far it goes, those of others that fall between them come along.
 * `next` is `SEQ:MS` of our own last one.
 */
export function recordPage(
  search: RecordSearch,
  find: (query: RecordQuery) => readonly JournalRecord[],
  others: readonly PlacedRecord[],
): RecordPage {
  const { cursor, since, until, limit, subject, kind, node } = search;
  const [beforeSeq, beforeMs] = (cursor ?? "").split(":").map(Number);
  const isNext = cursor !== undefined && Number.isSafeInteger(beforeSeq);
  const own = find({
    newest: true,
    limit,
    ...(since === undefined ? {} : { sinceMs: since }),
    ...(until === undefined ? {} : { untilMs: until }),
    ...(subject === undefined ? {} : { subject }),
    ...(kind === undefined ? {} : { kind }),
    ...(node === undefined ? {} : { node }),
    ...(isNext ? { beforeSeq: beforeSeq! } : {}),
  }).map((record) => placed(record, record.wallMs));
  const isAll = own.length < limit;
  const [oldest] = own;
  const fromMs = Math.max(
    since ?? -Infinity,
    isAll || oldest === undefined ? -Infinity : oldest.hereMs,
  );
  const toMs = Math.min(until ?? Infinity, isNext ? (beforeMs ?? Infinity) : Infinity);
  const between = others.filter(
    (one) =>
      one.hereMs >= fromMs &&
      one.hereMs < toMs &&
      (subject === undefined || one.subject === subject) &&
      (kind === undefined || one.kind === kind),
  );
  const records = [...own, ...between].toSorted(newestFirst).map(bare);
  if (isAll || oldest === undefined) return { records };
  return { records, next: `${oldest.seq}:${oldest.hereMs}` };
}

function bare({ hereMs: _hereMs, ...view }: PlacedRecord): RecordView {
  return view;
}

function newestFirst(a: PlacedRecord, b: PlacedRecord): number {
  if (a.node === b.node) return b.seq - a.seq;
  return b.hereMs - a.hereMs;
}
