/**
 * Several nodes' journals as one story: a linear extension of what is known of cause and effect. A
 * node's own records come in the order of their numbers; a record that knew others' (`seen`) comes
 * after them; one that tells what it heard of a peer comes after that peer's own record of it.
 * All else is ordered by time, with the clocks of the nodes brought onto one scale. So no clock,
 * however wrong, puts an effect before its cause.
 */

import { errandsOf } from "./errands.ts";
import { Deeds, type Hearing, hearingOf } from "./hearing.ts";
import { livesOf } from "./lives.ts";
import type { JournalRecord } from "./record.ts";

/** A deed that seems so much later than its hearing may still be the one: estimates are not exact. */
const SLACK_MS = 500;
/** A farewell is answered within that time. */
const PROMPT_MS = 10_000;

export interface MergedRecord {
  readonly record: JournalRecord;
  /** When it happened by the clock of the reference node, Unix ms; an estimate for other nodes. */
  readonly atMs: number;
}

export interface MergeOptions {
  /** The node whose clock times are told in. */
  readonly reference?: string;
}

/** In any order, also with repetitions; the same records always give the same story. */
export function mergeJournals(
  records: Iterable<JournalRecord>,
  { reference }: MergeOptions = {},
): MergedRecord[] {
  const byNode = grouped(records);
  const deeds = new Deeds();
  const hearings: Hearing[] = [];
  for (const list of byNode.values()) {
    for (const record of list) {
      deeds.add(record);
      const hearing = hearingOf(record);
      if (hearing !== undefined) hearings.push(hearing);
    }
  }
  const find = (node: string, seq: number): JournalRecord | undefined =>
    newestUpTo(byNode.get(node) ?? [], seq);
  const sources = { deeds, hearings, find, ...(reference === undefined ? {} : { reference }) };
  const lives = livesOf(byNode, sources);
  const times = new Map<JournalRecord, number>();
  for (const { records: ofLife, baseMs } of lives.values()) {
    for (const record of ofLife) times.set(record, baseMs + record.monoMs);
  }
  const time = (record: JournalRecord): number => times.get(record)!;
  const told = new Map<JournalRecord, JournalRecord>();
  for (const hearing of hearings) {
    const deed = likeliest(hearing, deeds.of(hearing), time);
    if (deed !== undefined) told.set(hearing.record, deed);
  }
  for (const [effect, cause] of errandsOf([...byNode.values()].flat())) told.set(effect, cause);
  return woven(byNode, told, time);
}

/** Journals that grow: give it what is new, ask for the story. Of each node only the newest count. */
export class Timeline {
  readonly #limit: number;
  readonly #options: MergeOptions;
  readonly #byNode = new Map<string, Map<number, JournalRecord>>();
  #story: readonly MergedRecord[] | undefined;

  /** `limit`: records of each node. */
  constructor(limit: number, options: MergeOptions = {}) {
    this.#limit = limit;
    this.#options = options;
  }

  add(records: Iterable<JournalRecord>): void {
    this.#story = undefined;
    for (const record of records) {
      const known = this.#byNode.get(record.node) ?? new Map<number, JournalRecord>();
      known.set(record.seq, record);
      this.#byNode.set(record.node, known);
    }
    for (const [node, known] of this.#byNode) {
      if (known.size <= 2 * this.#limit) continue;
      this.#byNode.set(node, new Map(newest(known, this.#limit).map((one) => [one.seq, one])));
    }
  }

  get story(): readonly MergedRecord[] {
    const all = [...this.#byNode.values()].flatMap((known) => newest(known, this.#limit));
    return (this.#story ??= mergeJournals(all, this.#options));
  }
}

function newest(known: ReadonlyMap<number, JournalRecord>, limit: number): JournalRecord[] {
  return [...known.values()].sort((a, b) => a.seq - b.seq).slice(-limit);
}

/** Each node's records once, by number; nodes by name. */
function grouped(records: Iterable<JournalRecord>): Map<string, JournalRecord[]> {
  const byNode = new Map<string, Map<number, JournalRecord>>();
  for (const record of records) {
    const known = byNode.get(record.node) ?? new Map<number, JournalRecord>();
    known.set(record.seq, record);
    byNode.set(record.node, known);
  }
  const names = [...byNode.keys()].sort();
  return new Map(
    names.map((name) => [name, [...byNode.get(name)!.values()].sort((a, b) => a.seq - b.seq)]),
  );
}

/** By binary search. */
function newestUpTo(list: readonly JournalRecord[], seq: number): JournalRecord | undefined {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]!.seq <= seq) low = middle + 1;
    else high = middle;
  }
  return list[low - 1];
}

/** Which of `deeds` was heard: the last one that was done by then, else the nearest. */
function likeliest(
  { record, deed: kind }: Hearing,
  deeds: readonly JournalRecord[],
  time: (record: JournalRecord) => number,
): JournalRecord | undefined {
  const heardMs = time(record);
  let before: JournalRecord | undefined;
  let nearest: JournalRecord | undefined;
  let [beforeMs, nearestMs] = [-Infinity, Infinity];
  for (const deed of deeds) {
    const doneMs = time(deed);
    const agoMs = heardMs - doneMs;
    const isInTime = agoMs >= -SLACK_MS && (kind === "mastery" || agoMs <= PROMPT_MS);
    if (isInTime && doneMs >= beforeMs) [before, beforeMs] = [deed, doneMs];
    if (Math.abs(agoMs) < nearestMs) [nearest, nearestMs] = [deed, Math.abs(agoMs)];
  }
  return before ?? nearest;
}

interface Thread {
  readonly node: string;
  readonly records: readonly JournalRecord[];
  at: number;
  /** Of the record at `at`; never goes back within a thread. */
  timeMs: number;
}

/**
 * Always the earliest of the nodes' next records whose causes are all told. Where causes go round in
 * a circle - a journal was lost and its numbers began anew, a deed was mistaken for another - the
 * earliest goes first all the same.
 */
function woven(
  byNode: ReadonlyMap<string, readonly JournalRecord[]>,
  told: ReadonlyMap<JournalRecord, JournalRecord>,
  time: (record: JournalRecord) => number,
): MergedRecord[] {
  const threads = new Map(
    [...byNode].map(([node, records]): [string, Thread] => [
      node,
      { node, records, at: 0, timeMs: time(records[0]!) },
    ]),
  );
  const isToldUpTo = (node: string, seq: number): boolean => {
    const thread = threads.get(node);
    const next = thread?.records[thread.at];
    return next === undefined || next.seq > seq;
  };
  const isFree = (record: JournalRecord): boolean => {
    const deed = told.get(record);
    if (deed !== undefined && !isToldUpTo(deed.node, deed.seq)) return false;
    return Object.entries(record.seen ?? {}).every(
      ([node, seq]) => node === record.node || isToldUpTo(node, seq),
    );
  };
  const story: MergedRecord[] = [];
  for (;;) {
    const open = [...threads.values()].filter(({ at, records }) => at < records.length);
    const free = open.filter(({ at, records }) => isFree(records[at]!));
    const next = earliest(free) ?? earliest(open);
    if (next === undefined) return story;
    const record = next.records[next.at++]!;
    story.push({ record, atMs: Math.round(time(record)) });
    const follower = next.records[next.at];
    if (follower !== undefined) next.timeMs = Math.max(next.timeMs, time(follower));
  }
}

function earliest(threads: readonly Thread[]): Thread | undefined {
  return threads.reduce<Thread | undefined>(
    (best, one) => (best === undefined || one.timeMs < best.timeMs ? one : best),
    undefined,
  );
}
