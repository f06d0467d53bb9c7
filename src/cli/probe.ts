/** `nines probe URL…`: asks as a user would, from wherever it runs, and keeps what it saw. */

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { parseProbeUrl, type ProbedTarget, type ProbeOptions } from "../config/probe/probe-url.ts";
import type { ProbeOutage } from "../core/probe/report.ts";
import type { WatchNews } from "../core/probe/watch.ts";
import type { WorkLoss } from "../core/probe/write-book.ts";
import { WriteWatch } from "../daemon/write-watch.ts";
import type { WriteDoor } from "../drivers/write-door.ts";
import { ProbeSpool } from "../daemon/probe-spool.ts";
import { Prober } from "../daemon/prober.ts";
import type { DeliveryTarget } from "../drivers/probe-delivery.ts";
import { claimJournal } from "../drivers/journal-database.ts";
import { ProbeStore } from "../drivers/probe-store.ts";
import { formatDuration } from "../lib/duration.ts";
import {
  answerers,
  lengthOf,
  summaryLines,
  TargetBook,
  type TargetSummary,
} from "./probe-summary.ts";
import { paint, type ExitCode, type Terminal } from "./terminal.ts";

export interface ProbeCommand extends ProbeOptions {
  readonly urls: readonly string[];
  readonly name: string;
  readonly json: boolean;
  /** Absent: until a signal. */
  readonly durationMs?: number;
  /** `:memory:` keeps nothing. */
  readonly record: string;
  readonly service?: string;
  /** Where numbered rows are written; absent: nothing is said of lost work. */
  readonly writes?: WriteDoor;
  readonly reportTo?: DeliveryTarget;
  /** Rewrites one line of the screen; absent: the output is no terminal. */
  readonly live?: (text: string) => void;
}

const KEPT_WRITES = 600;
const LIVE_MS = 1000;
const PRUNE_MS = 60_000;
/** For the last reports, when the prober ends. */
const FAREWELL_MS = 5000;

/** 1 when something failed that is not the prober's own fault. */
export async function probe(command: ProbeCommand, terminal: Terminal): Promise<ExitCode> {
  const parsed = command.urls.map((url) => parseProbeUrl(url, command));
  for (const one of parsed) if (typeof one === "string") terminal.err(`nines: ${one}`);
  const targets = parsed.filter((one): one is ProbedTarget => typeof one !== "string");
  if (targets.length < parsed.length) return 2;
  if (new Set(targets.map(({ name }) => name)).size < targets.length) {
    terminal.err("nines: the same target stands there twice");
    return 2;
  }
  let store: ProbeStore;
  try {
    if (command.record !== ":memory:") mkdirSync(dirname(command.record), { recursive: true });
    store = new ProbeStore(command.record);
  } catch (error) {
    terminal.err(`nines: the record ${command.record} cannot be kept: ${(error as Error).message}`);
    return 1;
  }
  // Of two that write the same rows each would find those of the other, and call its own lost.
  const isAlone = command.writes === undefined || command.record === ":memory:";
  const claim = isAlone ? undefined : claimJournal(command.record);
  if (!isAlone && claim === undefined) {
    terminal.err(`nines: another prober '${command.name}' writes from here already: --name OTHER`);
    store.close();
    return 1;
  }
  const run = new ProbeRun(command, terminal, { targets, store });
  await run.untilEnd();
  const code = await run.end();
  claim?.close();
  return code;
}

class ProbeRun {
  readonly #command: ProbeCommand;
  readonly #terminal: Terminal;
  readonly #store: ProbeStore;
  readonly #prober: Prober;
  readonly #spool: ProbeSpool | undefined;
  readonly #books: ReadonlyMap<string, TargetBook>;
  readonly #startMs: number;
  /** Of this life: two lives have the same buckets. */
  readonly #run: string;
  readonly #writes: WriteWatch | undefined;
  readonly #timers: readonly NodeJS.Timeout[];

  constructor(
    command: ProbeCommand,
    terminal: Terminal,
    { targets, store }: { readonly targets: readonly ProbedTarget[]; readonly store: ProbeStore },
  ) {
    this.#command = command;
    this.#terminal = terminal;
    this.#store = store;
    this.#books = new Map(targets.map(({ name }) => [name, new TargetBook()]));
    this.#prober = new Prober({
      targets,
      onNews: (target, news) => this.#take(target.name, news),
      onOwnTrouble: (text) => this.#own(text),
    });
    this.#startMs = this.#prober.wallNowMs;
    this.#run = `${this.#startMs}-${process.pid}`;
    const { reportTo: to, name, service } = command;
    if (to !== undefined) {
      this.#spool = new ProbeSpool({
        store,
        to,
        probe: name,
        ...(service === undefined ? {} : { service }),
        nowMs: () => this.#prober.wallNowMs,
        onTrouble: (text) => this.#own(text),
      });
    }
    this.#writes = this.#startWrites();
    this.#keep(() => store.prune(this.#startMs));
    this.#timers = [
      setInterval(() => this.#live(), LIVE_MS),
      setInterval(() => this.#keep(() => store.prune(this.#prober.wallNowMs)), PRUNE_MS),
    ];
  }

  /** A signal, or the end of the time that was asked for. */
  untilEnd(): Promise<void> {
    return new Promise((resolve) => {
      const { durationMs } = this.#command;
      const timer = durationMs === undefined ? undefined : setTimeout(end, durationMs);
      function end(): void {
        clearTimeout(timer);
        process.off("SIGINT", end).off("SIGTERM", end);
        resolve();
      }
      process.on("SIGINT", end).on("SIGTERM", end);
    });
  }

  async end(): Promise<ExitCode> {
    for (const timer of this.#timers) clearInterval(timer);
    const nowMs = this.#prober.wallNowMs;
    this.#prober.close();
    // What goes on has grown since it was told.
    for (const { target, watch } of this.#prober.watches) {
      if (watch.outage !== undefined) this.#noteOutage(target.name, watch.outage);
    }
    const written = await this.#writes?.stop();
    this.#command.live?.("");
    const summaries = this.#prober.watches.map(({ target, watch }): TargetSummary => {
      const { name } = target;
      return this.#books.get(name)!.summary(name, watch.totals, [this.#startMs, nowMs]);
    });
    await this.#deliverLast();
    this.#store.close();
    const { json, name } = this.#command;
    if (json) {
      const latestMs = Math.round(this.#prober.latestMs * 10) / 10;
      this.#terminal.out(
        JSON.stringify({
          kind: "summary",
          probe: name,
          latestMs,
          targets: summaries,
          ...(written === undefined ? {} : { written }),
        }),
      );
    } else {
      for (const line of summaryLines(summaries, nowMs)) this.#terminal.out(line);
      const [first] = summaries;
      const { pauses = 0, ownMs = 0 } = first?.totals ?? {};
      const own =
        pauses === 0
          ? "never stood still"
          : `stood still ${pauses} times, ${formatDuration(ownMs)}, taken out`;
      this.#terminal.out(
        `prober ${name}: ${own}; at most ${formatDuration(this.#prober.latestMs)} late`,
      );
    }
    if (written !== undefined && !json) {
      const { acknowledged, lost, worst } = written;
      const span = worst === undefined ? "" : `, ${formatDuration(worst.rpoMs)} of work at most`;
      this.#terminal.out(`acknowledged writes: ${acknowledged}, lost: ${lost}${span}`);
    }
    return summaries.some(({ totals }) => totals.bad > 0) || (written?.lost ?? 0) > 0 ? 1 : 0;
  }

  async #deliverLast(): Promise<void> {
    const spool = this.#spool;
    if (spool === undefined) return;
    const timer = { stop: (): void => {} };
    const enough = new Promise<void>((resolve) => {
      const id = setTimeout(resolve, FAREWELL_MS);
      timer.stop = () => clearTimeout(id);
    });
    await Promise.race([spool.flush(), enough]);
    timer.stop();
    spool.close();
    const left = this.#store.undelivered;
    if (left > 0) this.#own(`${left} buckets wait in ${this.#command.record} for the next time`);
  }

  #startWrites(): WriteWatch | undefined {
    const { writes: door, intervalMs: everyMs, name } = this.#command;
    if (door === undefined) return undefined;
    const onLoss = (loss: WorkLoss): void => this.#lost(`write ${door.name}`, loss);
    return new WriteWatch({ door, everyMs, keep: KEPT_WRITES, name, onLoss });
  }

  #lost(target: string, { fromMs, toMs, lost, rpoMs }: WorkLoss): void {
    const reason = `${lost} acknowledged writes are gone, ${formatDuration(rpoMs)} of work`;
    const loss: ProbeOutage = { fromMs, toMs, failed: 0, ownMs: 0, reason, lost };
    this.#keep(() => this.#store.addOutage(target, this.#run, loss));
    this.#spool?.hurry();
    if (this.#command.json) {
      this.#terminal.out(JSON.stringify({ target, kind: "work-lost", outage: loss }));
    } else {
      this.#command.live?.("");
      this.#terminal.out(`${timeText(toMs)} ${target}: ${paint(this.#terminal, "red", reason)}`);
    }
  }

  #take(target: string, news: WatchNews): void {
    const book = this.#books.get(target)!;
    if (news.kind === "bucket") {
      book.bucket(news.bucket);
      this.#keep(() => this.#store.addBucket(target, this.#run, news.bucket));
    } else if ("outage" in news) {
      this.#noteOutage(target, news.outage);
      this.#spool?.hurry();
    }
    if (this.#command.json) this.#terminal.out(JSON.stringify({ target, ...news }));
    else this.#say(target, news);
  }

  #noteOutage(target: string, outage: ProbeOutage): void {
    this.#books.get(target)!.outage(outage);
    this.#keep(() => this.#store.addOutage(target, this.#run, outage));
  }

  /** A full disk must not end the watching. */
  #keep(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#own(`the record cannot be written: ${(error as Error).message}`);
    }
  }

  #say(target: string, news: WatchNews): void {
    if (news.kind === "bucket") return;
    this.#command.live?.("");
    if (news.kind === "first-answer") {
      const who = news.by === "" ? "" : ` (${news.by})`;
      this.#terminal.out(`${timeText(news.atMs)} ${target}: answers${who}`);
      return;
    }
    if (news.kind === "answerer") {
      this.#terminal.out(`${timeText(news.atMs)} ${target}: ${news.before} -> ${news.by}`);
      return;
    }
    const { outage } = news;
    const isOver = news.kind === "outage-ended";
    const who = answerers(outage);
    const text = isOver
      ? `answers again after ${formatDuration(lengthOf(outage, 0))}${who === "" ? "" : ` (${who})`}`
      : `no good answer since ${timeText(outage.fromMs)}: ${outage.reason}`;
    const at = timeText(outage.toMs ?? this.#prober.wallNowMs);
    this.#terminal.out(`${at} ${target}: ${paint(this.#terminal, isOver ? "green" : "red", text)}`);
  }

  #own(text: string): void {
    this.#command.live?.("");
    this.#terminal.err(`nines: ${text}`);
  }

  #live(): void {
    const { live } = this.#command;
    if (live === undefined) return;
    const parts = this.#prober.watches.map(({ target, watch }) => {
      const { good, bad, slow } = watch.totals;
      const { outage } = watch;
      const state =
        outage === undefined
          ? paint(this.#terminal, "green", watch.answerer === "" ? "up" : `up by ${watch.answerer}`)
          : paint(
              this.#terminal,
              "red",
              `down ${formatDuration(this.#prober.wallNowMs - outage.fromMs)}`,
            );
      return `${target.name} ${state} ${good} good ${bad} bad ${slow} slow`;
    });
    live(parts.join("   "));
  }
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
