/**
 * `nines events`: what happened, newest last. The journal is read from its file, so nothing needs to run;
 * where a node runs without one, its control process tells what it still knows.
 */

import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { mergeJournals } from "../core/journal/merge.ts";
import type { JournalRecord } from "../core/journal/record.ts";
import { wallMs } from "../drivers/clock.ts";
import { journalPath, openJournalToRead } from "../drivers/journal-database.ts";
import { JournalReader, type RecordQuery } from "../drivers/journal-store.ts";
import type { LoggedEvent } from "../daemon/control-api.ts";
import { type ControlClient, ControlFailure } from "../daemon/control-client.ts";
import { eventLine } from "../daemon/event-log.ts";
import { closest } from "../lib/spelling.ts";
import { isListed } from "./event-filter.ts";
import { dayOf } from "./local-time.ts";
import { paint, type ExitCode, type Terminal } from "./terminal.ts";

const LOOK_EVERY_MS = 200;
const PAGE = 5_000;

/** One of them. */
export interface Since {
  /** Only what has a higher number. */
  readonly seq?: number;
  readonly agoMs?: number;
  /** Unix ms. */
  readonly wallMs?: number;
}

export interface EventsOptions {
  readonly stateDir: string;
  readonly follow: boolean;
  readonly json: boolean;
  readonly since?: Since;
  readonly until?: Since;
  /** How many where `since` says nothing. */
  readonly lines: number;
  readonly subject?: string;
  readonly kind?: string;
  readonly node?: string;
  readonly level?: JournalRecord["level"];
  /** Files of several nodes. */
  readonly merged?: readonly string[];
}

export async function events(
  client: ControlClient,
  options: EventsOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (options.merged !== undefined) return mergedStory(options.merged, options, terminal);
  const found = await stateOf(client);
  const running = "failure" in found ? undefined : found;
  const path = journalPath(running?.stateDirectory ?? options.stateDir);
  if (running?.hasJournal === false || (running !== undefined && !existsSync(path))) {
    return fromControl(client, options, terminal);
  }
  if ("failure" in found && !existsSync(path)) {
    terminal.err(`nines: ${found.failure}; and there is no journal ${path}: name its --state-dir`);
    return 1;
  }
  const reader = readerOf(path);
  if (typeof reader === "string") {
    terminal.err(`nines: ${reader}`);
    if (running === undefined) return 1;
    terminal.err("nines: what follows is what the control process still knows");
    return fromControl(client, options, terminal);
  }
  const show = (record: JournalRecord): void => showRecord(record, options, terminal);
  // Before the past is read: what is written meanwhile is shown by one or the other.
  let lastSeq = Math.max(options.since?.seq ?? 0, reader.lastSeq);
  let isEmpty = true;
  for (const page of pages(reader, options)) {
    for (const record of page) {
      show(record);
      isEmpty = false;
      lastSeq = Math.max(lastSeq, record.seq);
    }
  }
  if (isEmpty && options.lines > 0) terminal.err(`nines: ${absence(reader, options)}`);
  if (!options.follow) {
    reader.close();
    return 0;
  }
  for (;;) {
    await sleep(LOOK_EVERY_MS);
    for (const record of reader.find({ ...filters(options), afterSeq: lastSeq, limit: PAGE })) {
      show(record);
      lastSeq = record.seq;
    }
  }
}

/** Why nothing was found: what was asked for may be misspelt. */
function absence(reader: JournalReader, options: EventsOptions): string {
  for (const side of ["kind", "subject", "node"] as const) {
    const asked = options[side];
    if (asked === undefined || asked.endsWith("/*")) continue;
    const known = reader.known(side);
    if (known.includes(asked)) continue;
    const near = closest(asked, known);
    const next = near === undefined ? "" : `; did you mean '${near}'?`;
    return `the journal has nothing of the ${side} '${asked}'${next}`;
  }
  return "the journal has nothing of that";
}

interface Running {
  readonly hasJournal: boolean;
  readonly stateDirectory: string | undefined;
}

/** A text: why there is none, e.g. on a disk that is full, where a reader has no room for its notes. */
function readerOf(path: string): JournalReader | string {
  try {
    const reader = new JournalReader(openJournalToRead(path));
    void reader.lastSeq;
    return reader;
  } catch (error) {
    const { message } = error as Error;
    const isPart = message.startsWith("no such table");
    return isPart
      ? `${path} holds no records: of a node that runs, copy ${path}-wal as well`
      : `${path} cannot be read: ${message}`;
  }
}

async function stateOf(client: ControlClient): Promise<Running | { readonly failure: string }> {
  try {
    const { roles, stateDirectory } = await client.status();
    return { hasJournal: roles.some(({ name }) => name === "console"), stateDirectory };
  } catch (error) {
    if (error instanceof ControlFailure) return { failure: error.message };
    throw error;
  }
}

/** What was asked for, a part at a time: a journal may be larger than memory. */
function* pages(reader: JournalReader, options: EventsOptions): Generator<JournalRecord[]> {
  const { since, until, lines } = options;
  const query = { ...filters(options), ...timesOf(since, until) };
  if (since === undefined && until === undefined) {
    // What the console says itself may be written before what it hears of a moment earlier.
    const newest = reader.find({ ...query, limit: lines, newest: true });
    yield newest.sort((a, b) => a.wallMs - b.wallMs || a.seq - b.seq);
    return;
  }
  const isTimed = query.sinceMs !== undefined || query.untilMs !== undefined;
  const afterSeq = since?.seq ?? 0;
  let from: Partial<RecordQuery> = { afterSeq };
  for (;;) {
    const page = reader.find({ ...query, ...from, limit: PAGE });
    if (page.length > 0) yield page;
    if (page.length < PAGE) return;
    const last = isTimed ? latest(page) : page.at(-1)!;
    from = isTimed ? { afterSeq, afterRecord: last } : { afterSeq: last.seq };
  }
}

/** In the order of times, in which pages are found. */
function latest(page: readonly JournalRecord[]): JournalRecord {
  return page.reduce((best, one) => {
    const isLater = one.wallMs === best.wallMs ? one.seq > best.seq : one.wallMs > best.wallMs;
    return isLater ? one : best;
  });
}

function timesOf(since?: Since, until?: Since): Partial<RecordQuery> {
  const from = timeOf(since);
  const to = timeOf(until);
  return {
    ...(from === undefined ? {} : { sinceMs: from }),
    ...(to === undefined ? {} : { untilMs: to }),
    ...(until?.seq === undefined ? {} : { beforeSeq: until.seq }),
  };
}

function timeOf(when: Since | undefined): number | undefined {
  return when?.agoMs === undefined ? when?.wallMs : wallMs() - when.agoMs;
}

function filters({ subject, kind, node, level }: EventsOptions): Partial<RecordQuery> {
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(kind === undefined ? {} : { kind }),
    ...(node === undefined ? {} : { node }),
    ...(level === undefined ? {} : { level }),
  };
}

/** Of 0 none: `slice(-0)` is everything. */
function newest<Item>(list: readonly Item[], count: number): readonly Item[] {
  return list.slice(Math.max(0, list.length - count));
}

/** A node without a journal: what its control process has kept. */
async function fromControl(
  client: ControlClient,
  options: EventsOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { since, until } = options;
  const { sinceMs = -Infinity, untilMs = Infinity } = timesOf(since, until);
  const isAsked = (event: LoggedEvent): boolean => {
    const at = Date.parse(event.time);
    const isInTime = at >= sinceMs && at < untilMs && event.seq < (until?.seq ?? Infinity);
    return isInTime && isListed(event, options);
  };
  const show = (event: LoggedEvent): void => {
    if (options.json) terminal.out(JSON.stringify(event));
    else terminal.out(colored(terminal, event.level, eventLine(event)));
  };
  const from = since?.seq ?? 0;
  const known = await client.events(from);
  const asked = known.filter(isAsked);
  const isBounded = since === undefined && until === undefined;
  for (const event of isBounded ? newest(asked, options.lines) : asked) show(event);
  if (!options.follow) {
    if (asked.length === 0 && options.lines > 0)
      terminal.err("nines: the control process knows nothing of that");
    return 0;
  }
  await client.follow(known.at(-1)?.seq ?? from, (event) => {
    if (isAsked(event)) show(event);
  });
  terminal.err("nines ended");
  return 1;
}

/** `--node` names whose clock the times are told in. */
function mergedStory(
  files: readonly string[],
  options: EventsOptions,
  terminal: Terminal,
): ExitCode {
  const { since, until, node } = options;
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined) {
    terminal.err(`nines: there is no journal ${missing}`);
    return 1;
  }
  const readers = files.map(readerOf);
  const unreadable = readers.find((reader) => typeof reader === "string");
  if (unreadable !== undefined) {
    terminal.err(`nines: ${unreadable}`);
    return 1;
  }
  const { sinceMs = -Infinity, untilMs = Infinity } = timesOf(since, until);
  const records = readers
    .filter((reader) => typeof reader !== "string")
    .flatMap((reader) => {
      const found = [...pages(reader, { ...bare(options), since: { seq: 0 } })].flat();
      reader.close();
      return found;
    });
  const story = mergeJournals(records, node === undefined ? {} : { reference: node });
  const { node: _node, ...listed } = options;
  for (const { record, atMs } of story) {
    const event = eventOf({ ...record, wallMs: atMs });
    if (atMs < sinceMs || atMs >= untilMs || !isListed(event, listed)) continue;
    if (options.json) terminal.out(JSON.stringify({ ...record, atMs }));
    else {
      const line = `${dayOf(atMs)}${record.node} ${eventLine(event)}`;
      terminal.out(colored(terminal, record.level, line));
    }
  }
  return 0;
}

function bare({ stateDir, follow, json, lines }: EventsOptions): EventsOptions {
  return { stateDir, follow, json, lines };
}

function showRecord(record: JournalRecord, { json }: EventsOptions, terminal: Terminal): void {
  if (json) {
    const time = new Date(record.wallMs).toISOString();
    terminal.out(JSON.stringify({ ...record, time }));
    return;
  }
  const line = `${dayOf(record.wallMs)}${eventLine(eventOf(record))}`;
  terminal.out(colored(terminal, record.level, line));
}

/** A record in the form that lines are made of. */
function eventOf({ seq, wallMs: at, subject, ...rest }: JournalRecord): LoggedEvent {
  const { monoMs, level, reason, data = {} } = rest;
  const { source, kind } = rest as Pick<LoggedEvent, "source" | "kind">;
  const time = new Date(at).toISOString();
  return { ...data, seq, time, monoMs, source, level, kind, instance: subject, reason };
}

function colored(terminal: Terminal, level: JournalRecord["level"], line: string): string {
  if (level === "info") return line;
  return paint(terminal, level === "error" ? "red" : "yellow", line);
}
