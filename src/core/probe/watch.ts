/**
 * Watches one target by its probes. Several may be under way at once; they are judged in the order of
 * sending, so that an outage lies between two good answers whatever order the answers came in.
 */

import { HISTOGRAM_BUCKETS, histogramBucket } from "../proxy/histogram.ts";
import { printable } from "../../lib/printable.ts";
import { BUCKET_MS, LONGEST_TEXT, type ProbeBucket, type ProbeOutage } from "./report.ts";

export interface WatchSettings {
  /** Good answers that took longer are slow. */
  readonly slowMs: number;
  /** Unix ms minus monotonic ms, fixed at the start. */
  readonly wallOffsetMs: number;
}

export interface ProbeAnswer {
  readonly ok: boolean;
  readonly reason: string;
  readonly by?: string;
  /** The prober lacked something. */
  readonly isOurs?: boolean;
}

/** All times in here are Unix ms as in reports. */
export type WatchNews =
  | { readonly kind: "outage-began"; readonly outage: ProbeOutage }
  | { readonly kind: "outage-ended"; readonly outage: ProbeOutage }
  | { readonly kind: "first-answer"; readonly by: string; readonly atMs: number }
  /** Somebody else answers than before. */
  | {
      readonly kind: "answerer";
      readonly before: string;
      readonly by: string;
      readonly atMs: number;
    }
  | { readonly kind: "bucket"; readonly bucket: ProbeBucket };

/** Since the start. */
export interface WatchTotals {
  readonly sent: number;
  readonly good: number;
  readonly bad: number;
  readonly slow: number;
  readonly unjudged: number;
  /** In which the prober stood still. */
  readonly ownMs: number;
  readonly pauses: number;
}

interface Sent {
  readonly atMs: number;
  /** The prober stood still so long while this was under way. */
  ownMs: number;
  end: { readonly atMs: number; readonly answer: ProbeAnswer } | undefined;
}

interface OpenOutage {
  readonly fromMs: number;
  readonly reason: string;
  readonly before: string;
  failed: number;
  ownMs: number;
}

interface OpenBucket {
  readonly fromMs: number;
  good: number;
  bad: number;
  slow: number;
  unjudged: number;
  longestSilenceMs: number;
  firstBadMs: number;
  lastBadMs: number;
  readonly latency: Map<number, number>;
}

/** A pause is remembered as long as a probe that it touched may end. */
interface Pause {
  readonly fromMs: number;
  readonly toMs: number;
}

const MOST_PAUSES = 1000;

export class ProbeWatch {
  readonly #settings: WatchSettings;
  /** In order of sending; the first is the oldest that is not judged. */
  readonly #queue: Sent[] = [];
  readonly #byId = new Map<number, Sent>();
  #nextId = 0;
  #pauses: Pause[] = [];
  #startMs = -1;
  #lastGoodMs = -1;
  #by = "";
  #outage: OpenOutage | undefined;
  #bucket: OpenBucket | undefined;
  #news: WatchNews[] = [];
  #totals = { sent: 0, good: 0, bad: 0, slow: 0, unjudged: 0, ownMs: 0, pauses: 0 };

  constructor(settings: WatchSettings) {
    this.#settings = settings;
  }

  get totals(): WatchTotals {
    return this.#totals;
  }

  get underWay(): number {
    return this.#byId.size;
  }

  /** The last one that answered well; empty: nobody said who he is. */
  get answerer(): string {
    return this.#by;
  }

  /** That goes on now. */
  get outage(): ProbeOutage | undefined {
    return this.#outage && this.#told(this.#outage);
  }

  /** The number that its end is told with. */
  sent(now: number): number {
    if (this.#startMs < 0) this.#startMs = now;
    const sent: Sent = { atMs: now, ownMs: 0, end: undefined };
    this.#queue.push(sent);
    this.#byId.set(this.#nextId, sent);
    this.#totals.sent++;
    return this.#nextId++;
  }

  /** Of an answer, a failure, or no answer in time. */
  ended(now: number, id: number, answer: ProbeAnswer): WatchNews[] {
    const sent = this.#byId.get(id);
    if (sent === undefined) return [];
    this.#byId.delete(id);
    sent.end = { atMs: now, answer };
    while (this.#queue[0]?.end !== undefined) this.#judge(this.#queue.shift()!);
    return this.#take();
  }

  /** The prober itself did not run from then to then: what it saw of it is not the service's. */
  stoodStill(fromMs: number, toMs: number): void {
    this.#pauses.push({ fromMs, toMs });
    if (this.#pauses.length > MOST_PAUSES) this.#pauses.shift();
    this.#totals.pauses++;
    this.#totals.ownMs += toMs - fromMs;
    for (const sent of this.#queue) {
      if (sent.end === undefined) sent.ownMs += toMs - Math.max(fromMs, sent.atMs);
    }
  }

  /** No more probes: what is under way is forgotten, what goes on is told as it is. */
  close(): WatchNews[] {
    for (const [id, sent] of this.#byId) {
      this.#byId.delete(id);
      sent.end = {
        atMs: sent.atMs,
        answer: { ok: false, reason: "the prober ended", isOurs: true },
      };
    }
    while (this.#queue.length > 0) this.#judge(this.#queue.shift()!);
    this.#closeBucket();
    return this.#take();
  }

  #take(): WatchNews[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }

  #judge({ atMs, ownMs, end }: Sent): void {
    const { answer, atMs: endMs } = end!;
    const bucket = this.#bucketAt(atMs);
    if (answer.ok) this.#good(bucket, endMs, { answer, tookMs: Math.max(0, endMs - atMs - ownMs) });
    else if (answer.isOurs === true || ownMs > 0) {
      bucket.unjudged++;
      this.#totals.unjudged++;
    } else this.#bad(bucket, atMs, answer);
    if (!answer.ok) this.#silence(bucket, this.#lastGoodOr(atMs), endMs);
  }

  /** Without the time in which the prober would not have heard an answer. */
  #silence(bucket: OpenBucket, fromMs: number, toMs: number): void {
    const silentMs = toMs - fromMs - this.#ownWithin(fromMs, toMs);
    bucket.longestSilenceMs = Math.max(bucket.longestSilenceMs, silentMs);
  }

  #good(
    bucket: OpenBucket,
    endMs: number,
    { answer, tookMs }: { readonly answer: ProbeAnswer; readonly tookMs: number },
  ): void {
    bucket.good++;
    this.#totals.good++;
    if (tookMs > this.#settings.slowMs) {
      bucket.slow++;
      this.#totals.slow++;
    }
    const cell = histogramBucket(tookMs);
    bucket.latency.set(cell, (bucket.latency.get(cell) ?? 0) + 1);
    if (this.#lastGoodMs >= 0) this.#silence(bucket, this.#lastGoodMs, endMs);
    const by = shown(answer.by ?? "");
    if (this.#lastGoodMs < 0) {
      this.#news.push({ kind: "first-answer", by, atMs: this.#wall(endMs) });
    }
    this.#endOutage(endMs, by);
    this.#lastGoodMs = Math.max(this.#lastGoodMs, endMs);
    if (by === "" || by === this.#by) return;
    if (this.#by !== "") {
      this.#news.push({ kind: "answerer", before: this.#by, by, atMs: this.#wall(endMs) });
    }
    this.#by = by;
  }

  #bad(bucket: OpenBucket, atMs: number, { reason }: ProbeAnswer): void {
    bucket.bad++;
    this.#totals.bad++;
    if (bucket.firstBadMs < 0) bucket.firstBadMs = atMs;
    bucket.lastBadMs = atMs;
    if (this.#outage !== undefined) {
      this.#outage.failed++;
      return;
    }
    const fromMs = this.#lastGoodOr(atMs);
    this.#outage = { fromMs, reason: shown(reason), before: this.#by, failed: 1, ownMs: 0 };
    this.#news.push({ kind: "outage-began", outage: this.#told(this.#outage) });
  }

  #endOutage(endMs: number, after: string): void {
    const outage = this.#outage;
    if (outage === undefined) return;
    this.#outage = undefined;
    outage.ownMs = this.#ownWithin(outage.fromMs, endMs);
    const ended = { ...this.#told(outage), toMs: this.#wall(endMs) };
    this.#news.push({
      kind: "outage-ended",
      outage: after === "" ? ended : { ...ended, after },
    });
  }

  /** A service that never answered is out since it was first asked. */
  #lastGoodOr(atMs: number): number {
    return this.#lastGoodMs >= 0 ? this.#lastGoodMs : Math.min(this.#startMs, atMs);
  }

  #ownWithin(fromMs: number, toMs: number): number {
    let own = 0;
    for (const pause of this.#pauses) {
      own += Math.max(0, Math.min(toMs, pause.toMs) - Math.max(fromMs, pause.fromMs));
    }
    return own;
  }

  #told({ fromMs, reason, before, failed, ownMs }: OpenOutage): ProbeOutage {
    const base = { fromMs: this.#wall(fromMs), failed, ownMs: Math.round(ownMs), reason };
    return before === "" ? base : { ...base, before };
  }

  #wall(ms: number): number {
    return Math.round(ms + this.#settings.wallOffsetMs);
  }

  #bucketAt(atMs: number): OpenBucket {
    const fromMs = Math.floor(this.#wall(atMs) / BUCKET_MS) * BUCKET_MS;
    if (this.#bucket?.fromMs === fromMs) return this.#bucket;
    this.#closeBucket();
    const counts = { good: 0, bad: 0, slow: 0, unjudged: 0, longestSilenceMs: 0 };
    const edges = { firstBadMs: -1, lastBadMs: -1 };
    this.#bucket = { fromMs, ...counts, ...edges, latency: new Map() };
    return this.#bucket;
  }

  #closeBucket(): void {
    const bucket = this.#bucket;
    if (bucket === undefined) return;
    this.#bucket = undefined;
    const { firstBadMs, lastBadMs, latency, longestSilenceMs, ...counts } = bucket;
    const edges =
      firstBadMs < 0
        ? {}
        : { firstBadMs: this.#wall(firstBadMs), lastBadMs: this.#wall(lastBadMs) };
    const cells = [...latency].sort(([a], [b]) => a - b).slice(0, HISTOGRAM_BUCKETS);
    const silence = { longestSilenceMs: Math.round(longestSilenceMs) };
    this.#news.push({
      kind: "bucket",
      bucket: { ...counts, ...silence, ...edges, latency: cells },
    });
  }
}

/** Who is asked chooses the words, and they end up in terminals; a node takes no longer ones. */
function shown(text: string): string {
  return printable(text).slice(0, LONGEST_TEXT);
}
