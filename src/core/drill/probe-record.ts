/** What a prober saw, and what that means for a user. All times are CLOCK_MONOTONIC ms. */

/** One entry per probe, in order of sending: `answeredMs[i]` belongs to `sentMs[i]`. */
export interface ProbeRecord {
  readonly target: string;
  readonly intervalMs: number;
  readonly sentMs: readonly number[];
  /** null = no answer, a wrong one, or one later than the limit. */
  readonly answeredMs: readonly (number | null)[];
  /** Index into `answerers`; -1 = nobody. */
  readonly by: readonly number[];
  readonly answerers: readonly string[];
  readonly endMs: number;
}

export interface Outage {
  /** Longest time between two answers from the fault on; Infinity = nobody answered again. */
  readonly outageMs: number;
  /** From the fault to the first answer of somebody else; undefined = nobody took over. */
  readonly takeoverMs: number | undefined;
  /** Probes without an answer in time, from the fault on. */
  readonly lost: number;
  /** Who answered last before the fault. */
  readonly before: string | undefined;
  /** Who answered last of all. */
  readonly after: string | undefined;
}

export interface Span {
  readonly by: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly answers: number;
}

export interface Summary {
  readonly sent: number;
  readonly answered: number;
  readonly lost: number;
  readonly longestGapMs: number;
  readonly answerers: readonly string[];
}

interface Answer {
  readonly atMs: number;
  readonly by: string;
}

/** `faultMs` is when the fault was ordered; `untilMs` leaves out what came later. */
export function measureOutage(
  record: ProbeRecord,
  faultMs: number,
  untilMs: number = Infinity,
): Outage {
  const answers = answersOf(record).filter((a) => a.atMs <= untilMs);
  const firstAfter = answers.findIndex((a) => a.atMs > faultMs);
  const before = (firstAfter < 0 ? answers : answers.slice(0, firstAfter)).at(-1);
  const after = firstAfter < 0 ? [] : answers.slice(firstAfter);
  const other = after.find((a) => a.by !== before?.by);
  const restored = after.length > 0 && !isSilentAfter(record, after.at(-1)!.atMs, untilMs);
  return {
    outageMs: restored ? longestGap([before, ...after]) : Infinity,
    takeoverMs: other === undefined ? undefined : other.atMs - faultMs,
    lost: countLost(record, faultMs, untilMs),
    before: before?.by,
    after: answers.at(-1)?.by,
  };
}

export function summarize(record: ProbeRecord): Summary {
  const answers = answersOf(record);
  return {
    sent: record.sentMs.length,
    answered: answers.length,
    lost: countLost(record, -Infinity, Infinity),
    longestGapMs: longestGap(answers),
    answerers: record.answerers,
  };
}

/** The longest that somebody waited for an answer, of the probes sent from then to then. */
export function slowestAnswerMs(record: ProbeRecord, fromMs: number, untilMs: number): number {
  let slowest = 0;
  for (const [i, sent] of record.sentMs.entries()) {
    const answered = record.answeredMs[i] ?? null;
    if (sent < fromMs || sent > untilMs || answered === null) continue;
    slowest = Math.max(slowest, answered - sent);
  }
  return slowest;
}

/**
 * The longest time within the span in which nobody answered, one that its end cut off included; without
 * the time in which the client itself stood still: whoever does not ask hears nothing either.
 */
export function longestSilenceMs(record: ProbeRecord, fromMs: number, untilMs: number): number {
  const answers = answersOf(record).filter((a) => a.atMs > fromMs && a.atMs < untilMs);
  const ends = [...answers.map(({ atMs }) => atMs), untilMs];
  const own = standstills(record);
  let longest = 0;
  let previousMs = fromMs;
  for (const atMs of ends) {
    const silence = { fromMs: previousMs, toMs: atMs };
    // Most are a few ms, and nothing need be taken out of them.
    if (atMs - previousMs > longest) {
      longest = Math.max(longest, atMs - previousMs - overlapMs(own, silence));
    }
    previousMs = atMs;
  }
  return longest;
}

/** How long the client stood still within the span. */
export function standstillMs(record: ProbeRecord, fromMs: number, untilMs: number): number {
  return overlapMs(standstills(record), { fromMs, toMs: untilMs });
}

interface Standstill {
  readonly fromMs: number;
  readonly toMs: number;
}

/** It asks each interval, whatever becomes of it: a pause is its own, or its machine's. */
const STANDSTILL_MS = 100;

function standstills({ sentMs, intervalMs }: ProbeRecord): readonly Standstill[] {
  const least = Math.max(STANDSTILL_MS, 2 * intervalMs);
  return sentMs.flatMap((toMs, i) => {
    const fromMs = (sentMs[i - 1] ?? toMs) + intervalMs;
    return toMs - fromMs < least ? [] : [{ fromMs, toMs }];
  });
}

function overlapMs(all: readonly Standstill[], span: Standstill): number {
  return all.reduce((sum, one) => {
    const ms = Math.min(one.toMs, span.toMs) - Math.max(one.fromMs, span.fromMs);
    return sum + Math.max(0, ms);
  }, 0);
}

/** The part of all answers that came from `by`, 0-1; 0 when there were none. */
export function shareOf(record: ProbeRecord, by: string, fromMs: number, untilMs: number): number {
  const answers = answersOf(record).filter((a) => a.atMs >= fromMs && a.atMs < untilMs);
  if (answers.length === 0) return 0;
  return answers.filter((a) => a.by === by).length / answers.length;
}

/** Who answered when. A silence of more than `gapMs`, or another answerer, begins a new span. */
export function timeline(record: ProbeRecord, gapMs = 20): Span[] {
  const spans: { by: string; fromMs: number; toMs: number; answers: number }[] = [];
  for (const { by, atMs } of answersOf(record)) {
    const last = spans.at(-1);
    if (last !== undefined && last.by === by && atMs - last.toMs <= gapMs) {
      last.toMs = atMs;
      last.answers++;
    } else {
      spans.push({ by, fromMs: atMs, toMs: atMs, answers: 1 });
    }
  }
  return spans;
}

/** Whether so much was asked after the last answer that its silence is no accident. */
function isSilentAfter(record: ProbeRecord, lastMs: number, untilMs: number): boolean {
  const end = Math.min(untilMs, record.endMs - UNDECIDED_MS);
  return record.sentMs.filter((sent) => sent > lastMs && sent <= end).length >= SILENT_PROBES;
}

const SILENT_PROBES = 20;
/** Probes sent so shortly before the end have had no time to be answered. */
const UNDECIDED_MS = 50;

function countLost(record: ProbeRecord, fromMs: number, untilMs: number): number {
  const end = Math.min(untilMs, record.endMs - UNDECIDED_MS);
  let lost = 0;
  for (const [i, sent] of record.sentMs.entries()) {
    if (sent >= fromMs && sent <= end && record.answeredMs[i] === null) lost++;
  }
  return lost;
}

/** In order of arrival: an answer may overtake another. */
function answersOf(record: ProbeRecord): Answer[] {
  const answers: Answer[] = [];
  for (const [i, atMs] of record.answeredMs.entries()) {
    if (atMs !== null) answers.push({ atMs, by: record.answerers[record.by[i]!] ?? "?" });
  }
  return answers.sort((a, b) => a.atMs - b.atMs);
}

function longestGap(answers: readonly (Answer | undefined)[]): number {
  let longest = 0;
  let previous: Answer | undefined;
  for (const answer of answers) {
    if (previous !== undefined && answer !== undefined) {
      longest = Math.max(longest, answer.atMs - previous.atMs);
    }
    previous = answer;
  }
  return longest;
}
