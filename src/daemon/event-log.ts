/**
 * What happened, newest last, bounded: kept for `nines events`, handed to followers, written out
 * as JSON lines (a file, a pipe, the journal) or as plain lines (a terminal).
 */

import type { LoggedEvent } from "./control-api.ts";
import type { RouterEvent } from "../core/vrrp/router-ports.ts";

/** Events kept in memory: about 1 MB. */
const KEPT_EVENTS = 4096;

export type EventDraft = Omit<LoggedEvent, "seq" | "time">;

export class EventLog {
  readonly #write: (event: LoggedEvent) => void;
  readonly #wallMs: () => number;
  readonly #kept: LoggedEvent[] = [];
  readonly #followers = new Set<(event: LoggedEvent) => void>();
  #lastSeq = 0;

  constructor(write: (event: LoggedEvent) => void, wallMs: () => number) {
    this.#write = write;
    this.#wallMs = wallMs;
  }

  /** `wallMs`: when it happened, if that was earlier than now. */
  add(draft: EventDraft, wallMs: number = this.#wallMs()): void {
    const event = { seq: ++this.#lastSeq, time: new Date(wallMs).toISOString(), ...draft };
    this.#kept.push(event);
    if (this.#kept.length > KEPT_EVENTS) this.#kept.splice(0, KEPT_EVENTS / 4);
    this.#write(event);
    for (const follower of this.#followers) follower(event);
  }

  /** Events after `seq`. A number from the future (of an earlier life) means: all. */
  since(seq: number): readonly LoggedEvent[] {
    return seq > this.#lastSeq ? this.#kept : this.#kept.filter((event) => event.seq > seq);
  }

  /** Calls back for every event from now on until the returned function is called. */
  follow(follower: (event: LoggedEvent) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }
}

const LEVELS: Partial<Record<RouterEvent["kind"], LoggedEvent["level"]>> = {
  "split-brain-found": "error",
  "address-fought-over": "error",
  "configuration-error": "error",
  "lease-lapsed": "warning",
  "address-restored": "warning",
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
  const at = new Date(event.time);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
  const time = `${clock}.${String(at.getMilliseconds()).padStart(3, "0")}`;
  const who = event.instance === "" ? event.source : event.instance;
  const change =
    event.from !== undefined && event.to !== undefined ? ` ${event.from} -> ${event.to}` : "";
  const what = event.kind.startsWith("server-") ? ` ${event.kind.slice("server-".length)}` : "";
  const loud = event.level === "info" ? "" : ` ${event.level}`;
  return `${time}${loud} ${who}${change}${what}: ${event.reason}`;
}
