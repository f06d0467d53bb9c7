/**
 * Notifications in order, one script at a time per instance or group, none lost.
 *
 * The vrrp role keeps every notification until it is acknowledged; this queue acknowledges one
 * only after its scripts have ended. A check role that dies in between is told again, so a
 * script may run twice but never not at all (at least once). The FIFO line goes out at once, in
 * the order of the decisions; scripts of different instances do not wait for each other.
 */

import type { Machine } from "../../lib/deadline-machine.ts";
import { KILL_GRACE_MS, describeEnd, lastLine, type ScriptEnd } from "../check/script-track.ts";
import type { NotifyCommand } from "../vrrp/settings.ts";
import {
  commandsFor,
  isLineOnly,
  subjectKey,
  type NotifyRequest,
  type NotifySubject,
} from "./commands.ts";
import { enqueue } from "./lane.ts";

/** A notify script gets this long, ms; keepalived sets no limit and waits for ever. */
export const SCRIPT_DEADLINE_MS = 60_000;

/** Sequence numbers kept to recognise what is told again. Unacknowledged ones are fewer. */
const REMEMBERED = 4096;

export type NotifyInput =
  | { readonly type: "woken" }
  | { readonly type: "configured"; readonly subjects: readonly NotifySubject[] }
  | { readonly type: "notify-requested"; readonly request: NotifyRequest }
  | {
      readonly type: "script-ended";
      readonly lane: string;
      readonly end: ScriptEnd;
      readonly output: string;
    };

export type NotifyAction =
  | { readonly type: "run-script"; readonly lane: string; readonly command: NotifyCommand }
  | {
      readonly type: "kill-script-group";
      readonly lane: string;
      readonly signal: "SIGTERM" | "SIGKILL";
    }
  | { readonly type: "write-fifo"; readonly request: NotifyRequest }
  | { readonly type: "send-mail"; readonly request: NotifyRequest }
  /** Everything up to and including `seq` is done. */
  | { readonly type: "acknowledge"; readonly seq: number }
  | { readonly type: "note"; readonly instance: string; readonly reason: string };

interface Running {
  readonly request: NotifyRequest;
  readonly command: NotifyCommand;
  /** Scripts of the same notification still to be run. */
  readonly next: readonly NotifyCommand[];
  readonly phase: "running" | "overdue" | "killed";
  readonly deadlineMs: number;
}

interface Lane {
  readonly waiting: NotifyRequest[];
  running?: Running | undefined;
}

export class NotifyQueue implements Machine<NotifyInput, NotifyAction> {
  #subjects = new Map<string, NotifySubject>();
  /** Those of them that the latest configuration no longer has. */
  #former = new Map<string, NotifySubject>();
  readonly #lanes = new Map<string, Lane>();
  /** The state that each subject was last said to be in, over all lives of the vrrp role. */
  readonly #told = new Map<string, NotifyRequest["state"]>();
  /** Of this life of the vrrp role: sequence number to wall time, and what is not done yet. */
  readonly #seen = new Map<number, number>();
  readonly #open = new Set<number>();
  #highest = 0;
  #acknowledged = 0;
  #actions: NotifyAction[] = [];

  get deadline(): number {
    let earliest = Infinity;
    for (const { running } of this.#lanes.values()) {
      if (running !== undefined) earliest = Math.min(earliest, running.deadlineMs);
    }
    return earliest;
  }

  /** Nothing waits, nothing runs. */
  get idle(): boolean {
    return this.#lanes.size === 0;
  }

  /** The end of a node does not wait for a script that hangs, but is told all the same. */
  get lastWords(): readonly NotifyCommand[] {
    return [...this.#lanes].flatMap(([key, { waiting }]) => {
      const subject = this.#subjects.get(key);
      const last = waiting.at(-1);
      return subject === undefined || last?.state !== "STOP"
        ? []
        : commandsFor(subject.notify, last);
    });
  }

  step(now: number, input: NotifyInput): readonly NotifyAction[] {
    this.#actions = [];
    switch (input.type) {
      case "configured":
        this.#configured(input.subjects);
        break;
      case "notify-requested":
        this.#requested(now, input.request);
        break;
      case "script-ended":
        this.#ended(now, input.lane, input);
        break;
      case "woken":
        for (const [key, lane] of this.#lanes) this.#overdue(now, key, lane);
    }
    return this.#actions;
  }

  /**
   * Subjects that are gone keep their scripts for one more round, and as long as something waits for them:
   * they are still to be told.
   */
  #configured(subjects: readonly NotifySubject[]): void {
    const fresh = new Map(subjects.map((subject) => [subjectKey(subject), subject]));
    const waits = (key: string): boolean => (this.#lanes.get(key)?.waiting.length ?? 0) > 0;
    const isDue = (key: string): boolean => !this.#former.has(key) || waits(key);
    const gone = [...this.#subjects].filter(([key]) => !fresh.has(key) && isDue(key));
    for (const key of this.#former.keys()) if (!fresh.has(key)) this.#told.delete(key);
    this.#former = new Map(gone);
    this.#subjects = new Map([...this.#former, ...fresh]);
  }

  #requested(now: number, request: NotifyRequest): void {
    const knownWallMs = this.#seen.get(request.seq);
    if (knownWallMs === request.wallMs) {
      this.#acknowledge(true);
      return;
    }
    // The same number for another event: the vrrp role was restarted and counts anew.
    if (request.seq <= this.#highest) this.#forget();
    this.#remember(request);
    if (isLineOnly(request)) {
      this.#actions.push({ type: "write-fifo", request });
      this.#done(request);
      return;
    }
    const key = subjectKey(request);
    if (request.again === true && this.#told.get(key) === request.state) {
      this.#done(request);
      return;
    }
    if (request.state !== "MASTER_RX_LOWER_PRI") this.#told.set(key, request.state);
    this.#actions.push({ type: "write-fifo", request });
    if (this.#subjects.get(key)?.notify.mail === true && request.state !== "MASTER_RX_LOWER_PRI") {
      this.#actions.push({ type: "send-mail", request });
    }
    const lane = this.#lanes.get(key) ?? { waiting: [] };
    this.#lanes.set(key, lane);
    const dropped = enqueue(lane.waiting, request);
    if (dropped !== undefined) this.#drop(dropped);
    if (lane.running === undefined) this.#advance(now, key, lane);
  }

  #drop(dropped: NotifyRequest): void {
    this.#note(
      dropped,
      `notification ${dropped.state} of ${dropped.name} skipped: its scripts are too far behind`,
    );
    this.#done(dropped);
  }

  /** Starts the next script of the lane; ends the lane when there is none. */
  #advance(now: number, key: string, lane: Lane): void {
    for (;;) {
      const request = lane.waiting.shift();
      if (request === undefined) {
        this.#lanes.delete(key);
        return;
      }
      const subject = this.#subjects.get(key);
      const commands = subject === undefined ? [] : commandsFor(subject.notify, request);
      const [command, ...next] = commands;
      if (command !== undefined) {
        this.#run(now, key, lane, { request, command, next });
        return;
      }
      this.#done(request);
    }
  }

  #run(
    now: number,
    key: string,
    lane: Lane,
    what: Pick<Running, "request" | "command" | "next">,
  ): void {
    lane.running = { ...what, phase: "running", deadlineMs: now + SCRIPT_DEADLINE_MS };
    this.#actions.push({ type: "run-script", lane: key, command: what.command });
  }

  #ended(
    now: number,
    key: string,
    ended: { readonly end: ScriptEnd; readonly output: string },
  ): void {
    const lane = this.#lanes.get(key);
    const running = lane?.running;
    if (lane === undefined || running === undefined) return;
    if (running.phase !== "running") {
      this.#actions.push({ type: "kill-script-group", lane: key, signal: "SIGKILL" });
    } else if (ended.end.kind !== "exited" || ended.end.code !== 0) {
      const said = lastLine(ended.output);
      const detail = said === "" ? "" : `: ${said}`;
      this.#note(running.request, `${nameOf(running)} ${describeEnd(ended.end)}${detail}`);
    }
    lane.running = undefined;
    const [command, ...next] = running.next;
    if (command !== undefined) {
      this.#run(now, key, lane, { request: running.request, command, next });
      return;
    }
    this.#done(running.request);
    this.#advance(now, key, lane);
  }

  #overdue(now: number, key: string, lane: Lane): void {
    const running = lane.running;
    if (running === undefined || now < running.deadlineMs) return;
    const first = running.phase === "running";
    if (first) {
      this.#note(running.request, `${nameOf(running)} ended after ${SCRIPT_DEADLINE_MS / 1000} s`);
    }
    const deadlineMs = now + KILL_GRACE_MS;
    lane.running = { ...running, phase: first ? "overdue" : "killed", deadlineMs };
    const signal = first ? "SIGTERM" : "SIGKILL";
    this.#actions.push({ type: "kill-script-group", lane: key, signal });
  }

  #remember(request: NotifyRequest): void {
    this.#seen.set(request.seq, request.wallMs);
    this.#open.add(request.seq);
    this.#highest = request.seq;
    if (this.#seen.size <= REMEMBERED) return;
    for (const seq of this.#seen.keys()) {
      this.#seen.delete(seq);
      if (this.#seen.size <= REMEMBERED) break;
    }
  }

  #forget(): void {
    this.#seen.clear();
    this.#open.clear();
    this.#highest = 0;
    this.#acknowledged = 0;
  }

  #done(request: NotifyRequest): void {
    // A number of an earlier life of the vrrp role means nothing to the present one.
    if (this.#seen.get(request.seq) !== request.wallMs) return;
    this.#open.delete(request.seq);
    this.#acknowledge(false);
  }

  #acknowledge(again: boolean): void {
    const [lowest] = this.#open;
    const seq = lowest === undefined ? this.#highest : lowest - 1;
    if (seq < 1 || (seq === this.#acknowledged && !again)) return;
    this.#acknowledged = seq;
    this.#actions.push({ type: "acknowledge", seq });
  }

  #note(request: NotifyRequest, reason: string): void {
    this.#actions.push({ type: "note", instance: request.name, reason });
  }
}

function nameOf(running: Running): string {
  return `notify script ${running.command.argv[0]} (${running.request.state})`;
}
