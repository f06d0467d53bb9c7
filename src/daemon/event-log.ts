/**
 * What happened, newest last, bounded: kept for `nines events`, handed to followers, written out
 * as JSON lines (a file, a pipe, the journal) or as plain lines (a terminal).
 */

import { randomUUID } from "node:crypto";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import type { LoggedEvent } from "./control-api.ts";
import type { RouterEvent } from "../core/vrrp/router-ports.ts";

/**
 * Events kept in memory for whoever comes late, above all a console that is being started again: at
 * most about 20 MB, and only on a node where that much happened.
 */
const KEPT_EVENTS = 65_536;

export type EventDraft = Omit<LoggedEvent, "seq" | "time" | "monoMs">;

export class EventLog {
  /** The numbers of events count in this life of the log. */
  readonly life: string = randomUUID();
  readonly #write: (event: LoggedEvent) => void;
  readonly #wallMs: () => number;
  readonly #kept: LoggedEvent[] = [];
  readonly #followers = new Set<() => void>();
  #lastSeq = 0;

  constructor(write: (event: LoggedEvent) => void, wallMs: () => number) {
    this.#write = write;
    this.#wallMs = wallMs;
  }

  /** `at`: when it happened, if that was earlier than now. */
  add(draft: EventDraft, at?: Moment): void {
    const { wallMs, monoMs } = at ?? { wallMs: this.#wallMs(), monoMs: monotonicMs() };
    const time = new Date(wallMs).toISOString();
    const event = {
      seq: ++this.#lastSeq,
      time,
      monoMs: Math.round(monoMs * 1000) / 1000,
      ...draft,
    };
    this.#kept.push(event);
    if (this.#kept.length > KEPT_EVENTS) this.#kept.splice(0, KEPT_EVENTS / 4);
    this.#write(event);
    for (const follower of this.#followers) follower();
  }

  /** Events after `seq`. A number from the future (of an earlier life) means: all. */
  since(seq: number): readonly LoggedEvent[] {
    return this.#kept.slice(this.isFuture(seq) ? 0 : this.#placeAfter(seq));
  }

  /** A number of an earlier life. */
  isFuture(seq: number): boolean {
    return seq > this.#lastSeq;
  }

  /** The first `count` events after `seq`, a number of this life. */
  next(seq: number, count: number): readonly LoggedEvent[] {
    const from = this.#placeAfter(seq);
    return this.#kept.slice(from, from + count);
  }

  #placeAfter(seq: number): number {
    return Math.max(0, seq + 1 - (this.#kept[0]?.seq ?? 0));
  }

  /** Calls back after every event from now on until the returned function is called. */
  follow(follower: () => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }
}

/** On both clocks, ms. */
export interface Moment {
  readonly wallMs: number;
  readonly monoMs: number;
}

/** The moment that a process of this machine told. */
export function momentOf(told: { readonly wallMs: number; readonly monoMs?: number }): Moment {
  const { wallMs: then, monoMs } = told;
  return { wallMs: then, monoMs: monoMs ?? monotonicMs() - Math.max(0, wallMs() - then) };
}

const LEVELS: Partial<Record<RouterEvent["kind"], LoggedEvent["level"]>> = {
  "split-brain-found": "error",
  "address-fought-over": "error",
  "configuration-error": "error",
  "lease-lapsed": "warning",
  "address-restored": "warning",
  "route-restored": "warning",
  "peer-lost": "warning",
  starved: "warning",
  rejected: "warning",
};

export function draftOf(event: RouterEvent, source: "vrrp" | "check"): EventDraft {
  const level = event.to === "FAULT" ? "warning" : (LEVELS[event.kind] ?? "info");
  return { source, level, ...event };
}

/** One line for a person: `04:01:22.123 VI_1 BACKUP -> MASTER: reason`, `… web/a down: reason`. Local time. */
export function eventLine(event: LoggedEvent): string {
  const time = clockTime(Date.parse(event.time));
  const who = event.instance === "" ? event.source : event.instance;
  const change =
    event.from !== undefined && event.to !== undefined ? ` ${event.from} -> ${event.to}` : "";
  const what = event.kind.startsWith("server-") ? ` ${event.kind.slice("server-".length)}` : "";
  const loud = event.level === "info" ? "" : ` ${event.level}`;
  return `${time}${loud} ${who}${change}${what}: ${event.reason}`;
}

/** `04:01:22.123`, local time. */
export function clockTime(wallMs: number): string {
  const at = new Date(wallMs);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
  return `${clock}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}
