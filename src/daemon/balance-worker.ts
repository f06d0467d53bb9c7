/** What one worker does: settings in, status out, and the engine between its sockets. */

import { writeCombinedLine, writeJsonLine } from "../core/proxy/access-line.ts";
import { AccessRecord } from "../core/proxy/access-record.ts";
import { Engine } from "../core/proxy/engine.ts";
import type { AccessLogSettings, BalanceSettings } from "../core/proxy/frontend-settings.ts";
import type { PoolEvent } from "../core/balance/pool-ports.ts";
import type { CheckVerdict } from "../core/check/check-settings.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import type { DescriptorBox } from "../drivers/fd-passing.ts";
import { StreamLoop } from "../drivers/stream-loop.ts";
import { tlsLibraryTrouble } from "../drivers/tls-library.ts";
import { counted } from "../lib/plural.ts";
import { Prng } from "../lib/prng.ts";
import { AccessLogs } from "./balance-access-log.ts";
import { Connectors } from "./balance-connectors.ts";
import { Fronts } from "./balance-fronts.ts";
import type { FromWorker, StickEntries, ToWorker, WorkerReply } from "./balance-protocol.ts";
import { STICKS_PER_MESSAGE } from "./balance-sticks.ts";
import { RefusalReport } from "./balance-refusals.ts";
import type { TicketSecrets } from "./ticket-keys.ts";
import type { WorkerStatus } from "./balance-status.ts";
import { allCountedBy, countedBy } from "./balance-traffic.ts";
import { WorkerDescriptors } from "./balance-worker-descriptors.ts";
import { eventDraft } from "./balance-worker-event.ts";
import { workerStatus } from "./balance-worker-status.ts";

export interface BalanceWorkerOptions {
  readonly serial: number;
  readonly version: string;
  readonly tell: (message: FromWorker) => void;
  /** Everything is finished. */
  readonly ended: () => void;
}

type Order = Exclude<ToWorker, { type: "send-listeners" }>;

/** Longest sleep; the engine is asked again whenever something happened. */
const LONGEST_SLEEP_MS = 60_000;
/** Cookies go by the wall clock, which others set. */
const WALL_CLOCK_MS = 10_000;
/** How soon other workers learn who sticks where, and an idle one what others decided. */
const SHARE_MS = 100;
/** While draining: how often the end is looked for. */
const LOOK_MS = 20;
/**
 * A client that has been silent that long is let go when this worker drains. One that has just had
 * an answer may be sending its next request, which would be lost; that one is answered first.
 */
const SILENT_MS = 1_000;
/** Verdicts on servers that the configuration does not name (yet). */
const MAX_EARLY = 100_000;

export class BalanceWorker {
  readonly #options: BalanceWorkerOptions;
  readonly #startedWallMs = wallMs();
  readonly #engine: Engine;
  readonly #loop: StreamLoop;
  readonly #connectors: Connectors;
  readonly #fronts: Fronts;
  readonly #descriptors: WorkerDescriptors;
  readonly #refusals: RefusalReport;
  readonly #logs = new AccessLogs((trouble) => this.#tellLimited(trouble, "warning"));
  readonly #early = new Map<string, CheckVerdict>();
  #isConfigured = false;
  #hasToldTls = false;
  #sharing: NodeJS.Timeout | undefined;
  #drain: { readonly untilMs: number; readonly reason: string } | undefined;
  #leaving: NodeJS.Timeout | undefined;
  #hasEnded = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  /** Of the line that is being written; one closure for all of them. */
  #record = new AccessRecord();
  #recordWallMs = 0;

  constructor(options: BalanceWorkerOptions) {
    this.#options = options;
    const hooks = {
      beforeTurn: (now: number) => this.#engine.follow(now),
      afterTurn: () => this.#arm(),
    };
    this.#loop = new StreamLoop(hooks, true);
    this.#connectors = new Connectors(this.#loop);
    const now = monotonicMs();
    this.#engine = new Engine(now, {
      connector: this.#connectors,
      sinks: {
        access: (record, settings) => this.#log(record, settings),
        event: (pool, event) => this.#report(pool, event),
      },
      // Workers must not draw the same servers at the same time.
      prng: new Prng(process.pid ^ Math.floor(now * 1000)),
    });
    this.#refusals = new RefusalReport((event) => this.#tellEvent(event));
    this.#fronts = new Fronts({
      loop: this.#loop,
      acceptor: this.#engine,
      refused: (frontend, reason, kind) => {
        this.#engine.refusedConnection(frontend, kind);
        this.#refusals.add(frontend, reason);
      },
    });
    this.#descriptors = new WorkerDescriptors(this.#engine, this.#fronts);
    this.#setWallClock();
    setInterval(() => this.#setWallClock(), WALL_CLOCK_MS).unref();
  }

  get socketNames(): readonly string[] {
    return this.#descriptors.names;
  }

  get isDraining(): boolean {
    return this.#drain !== undefined;
  }

  get tickets(): TicketSecrets | undefined {
    return this.#fronts.tickets;
  }

  tellServing(): void {
    if (this.#isConfigured && this.#fronts.isServing) this.#options.tell({ type: "serving" });
  }

  takeSockets(names: readonly string[], fds: readonly number[]): void {
    const alone = this.#descriptors.take(names, fds);
    if (alone !== undefined) this.#tellLimited(`this worker counts and ejects alone: ${alone}`);
    this.tellServing();
  }

  /** To a control role that is new. */
  sendSockets(box: DescriptorBox, path: string): void {
    this.#descriptors.send(box, path);
  }

  noteVerdicts(verdicts: readonly CheckVerdict[]): void {
    this.#loop.run((now) => {
      for (const verdict of verdicts) this.#note(now, verdict.subject, verdict);
    });
  }

  forgetVerdicts(subjects: readonly string[]): void {
    this.#loop.run((now) => {
      for (const subject of subjects) this.#note(now, subject, undefined);
    });
  }

  receive(order: Order): void {
    if (order.type === "drain") this.#beginDrain(order.withinMs, order.reason);
    else if (order.type === "last-answers") this.#giveLastAnswers();
    else if (order.type === "as-usual") this.#goOnAsUsual();
    else if (order.type === "ticket-keys") this.#fronts.sealTickets(secretsOf(order));
    else if (order.type === "reopen-logs") this.#logs.reopen();
    else if (order.type === "unready") this.#engine.isReady = false;
    else if (order.type === "sticks") this.#engine.importSticks(monotonicMs(), order.tables);
    else this.#answer(order);
  }

  // ---- orders that are answered ----

  #answer(order: Extract<Order, { readonly id: number }>): void {
    const { id } = order;
    try {
      const reply = this.#carryOut(order);
      this.#options.tell({ type: "reply", id, ...reply });
    } catch (error) {
      this.#options.tell({ type: "reply", id, error: (error as Error).message });
    }
  }

  /** Throws what cannot be done, for the operator to read. */
  #carryOut(order: Extract<Order, { readonly id: number }>): Answer {
    const now = monotonicMs();
    switch (order.type) {
      case "configure":
        return this.#configure(order);
      case "change-server":
        return this.#changeServer(order);
      case "get-status":
        return { reply: { status: this.#status(order.histograms) } };
      case "get-traffic":
        return { reply: { counted: countedBy(this.#engine, order.what, order.after) } };
      case "explain":
        return { reply: { explanation: this.#engine.explain(now, order.request) } };
      case "export-sticks":
        return { reply: { sticks: this.#sticksFrom(order.from) } };
      case "ping":
        return { reply: { connections: this.#engine.connections + this.#fronts.connections } };
    }
  }

  /** The table is walked anew for each page; what changes meanwhile is told by itself. */
  #sticksFrom(from: number): StickEntries[] {
    const pages: StickEntries[] = [];
    let [skip, room] = [from, STICKS_PER_MESSAGE];
    for (const { pool, entries } of this.#engine.exportSticks(monotonicMs(), false)) {
      const page = entries.slice(skip, skip + room);
      skip = Math.max(0, skip - entries.length);
      room -= page.length;
      if (page.length > 0) pages.push({ pool, entries: page });
    }
    return pages;
  }

  #configure(order: Extract<ToWorker, { type: "configure" }>): Answer {
    const { settings, overrides } = order;
    this.#connectors.configure(settings.pools);
    this.#fronts.configure(settings.frontends, secretsOf(order));
    this.#loop.run((now) => {
      this.#engine.configure(now, settings);
      this.#engine.applyOverrides(now, overrides);
      for (const [subject, verdict] of this.#early) this.#note(now, subject, verdict);
    });
    this.#isConfigured = true;
    this.#share(settings);
    this.#tellSlowTls(settings);
    const trouble = this.#logs.configure(logFiles(settings));
    this.tellServing();
    return trouble === undefined ? {} : { error: trouble };
  }

  /** Once. */
  #tellSlowTls({ frontends }: BalanceSettings): void {
    const why = tlsLibraryTrouble();
    if (why === undefined || this.#hasToldTls || frontends.every((one) => !one.tls)) return;
    this.#hasToldTls = true;
    this.#tellLimited(`TLS goes through Node's streams, at about twice the cost: ${why}`);
  }

  #tellLimited(reason: string, level: "info" | "warning" = "info"): void {
    this.#tellEvent({ source: "balance", level, kind: "limited", instance: "", reason });
  }

  #changeServer(order: Extract<ToWorker, { type: "change-server" }>): Answer {
    const { pool, server, admin, weight } = order;
    let isKnown = true;
    this.#loop.run((now) => {
      const engine = this.#engine;
      if (admin !== undefined) isKnown = engine.setAdmin(now, pool, server, admin);
      if (weight !== undefined) isKnown = engine.setWeight(now, pool, server, weight ?? undefined);
    });
    return isKnown ? {} : { error: `${pool}/${server} has no address yet` };
  }

  #status(histograms: boolean): WorkerStatus {
    const { serial, version } = this.#options;
    const { isDraining } = this;
    const own = { serial, version, startedWallMs: this.#startedWallMs, isDraining };
    const { dropped: logLinesDropped } = this.#logs;
    const sources = { engine: this.#engine, fronts: this.#fronts, own, logLinesDropped };
    return workerStatus(monotonicMs(), sources, histograms);
  }

  #note(now: number, subject: string, verdict: CheckVerdict | undefined): void {
    const slash = subject.indexOf("/");
    // What is no server of a pool is somebody else's: a track.
    if (slash < 0) return;
    const [pool, server] = [subject.slice(0, slash), subject.slice(slash + 1)];
    const isDone = this.#engine.setHealth(now, pool, server, verdict) || verdict === undefined;
    if (isDone) this.#early.delete(subject);
    else if (this.#early.size < MAX_EARLY) this.#early.set(subject, verdict);
  }

  /** Others hear who sticks where; what they decided is seen by an idle worker, too. */
  #share({ pools, workers }: BalanceSettings): void {
    clearInterval(this.#sharing);
    this.#sharing = undefined;
    const hasSticks = pools.some(({ stickiness }) => stickiness.kind === "table");
    if (!hasSticks && workers === 1) return;
    this.#sharing = setInterval(() => {
      const tables = this.#engine.exportSticks(monotonicMs(), true);
      if (tables.length > 0) this.#options.tell({ type: "sticks", tables });
      this.#loop.run(() => {});
    }, SHARE_MS);
  }

  // ---- the end ----

  #beginDrain(withinMs: number, reason: string): void {
    const isFirst = this.#drain === undefined;
    const untilMs = Math.min(this.#drain?.untilMs ?? Infinity, monotonicMs() + withinMs);
    this.#drain = { untilMs, reason };
    if (!isFirst) return;
    this.#loop.run(() => this.#fronts.close());
    this.#giveLastAnswers();
  }

  #giveLastAnswers(): void {
    this.#leaving ??= setInterval(() => this.#leave(), LOOK_MS);
    this.#leave();
  }

  #goOnAsUsual(): void {
    if (this.#drain !== undefined) return;
    clearInterval(this.#leaving);
    this.#leaving = undefined;
    this.#engine.resume(monotonicMs());
  }

  #leave(): void {
    const { untilMs, reason } = this.#drain ?? { untilMs: Infinity, reason: "" };
    this.#loop.runAfterInput((now) => {
      this.#engine.drain(now, SILENT_MS);
      this.#fronts.closeSessions(now, SILENT_MS);
      if (now < untilMs) return;
      this.#tellCut();
      this.#fronts.cut();
      this.#engine.cut(now, reason);
    });
    const left = this.#engine.connections + this.#engine.inFlight + this.#fronts.connections;
    if (left > 0 || this.#drain === undefined || this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#leaving);
    void this.#end();
  }

  #tellCut(): void {
    const { connections, inFlight } = this.#engine;
    if (connections + inFlight === 0) return;
    const begun = `${counted(connections, "connection")}, ${counted(inFlight, "request")} begun`;
    const text = `${this.#drain!.reason}: what did not end in time was cut: ${begun}`;
    this.#tellLimited(text, "warning");
  }

  async #end(): Promise<void> {
    clearInterval(this.#sharing);
    await this.#logs.flush();
    const counted = allCountedBy(this.#engine);
    this.#options.tell({ type: "farewell", status: this.#status(true), counted });
    this.#options.ended();
  }

  // ---- time ----

  /** At the end of each turn of the loop: cheap when nothing has come nearer. */
  #arm(): void {
    const { deadline } = this.#engine;
    if (deadline >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    const sleepMs = Math.min(LONGEST_SLEEP_MS, Math.max(0, deadline - monotonicMs()));
    this.#timer = setTimeout(this.#wake, sleepMs);
  }

  readonly #wake = (): void =>
    this.#loop.runAfterInput((now) => {
      this.#timerAt = Infinity;
      this.#engine.wake(now);
    });

  #setWallClock(): void {
    this.#engine.setWallClock(monotonicMs(), wallMs());
  }

  // ---- called from inside of the engine ----

  #log(record: AccessRecord, { format, file }: AccessLogSettings): void {
    this.#record = record;
    this.#recordWallMs = wallMs();
    this.#logs.get(file)?.add(format === "json" ? this.#jsonLine : this.#combinedLine);
  }

  readonly #jsonLine = (out: Uint8Array, at: number): number =>
    writeJsonLine(this.#record, this.#recordWallMs, out, at);

  readonly #combinedLine = (out: Uint8Array, at: number): number =>
    writeCombinedLine(this.#record, this.#recordWallMs, out, at);

  #report(pool: string, event: PoolEvent): void {
    // That one is an order to the engine, told beside its cause.
    if (event.kind !== "cut-connections") this.#tellEvent(eventDraft(pool, event));
  }

  #tellEvent(event: ReturnType<typeof eventDraft>): void {
    this.#options.tell({ type: "event", wallMs: wallMs(), monoMs: monotonicMs(), event });
  }
}

function secretsOf({ ticketKeys, formerTicketKeys }: TicketSecrets): TicketSecrets {
  return { ticketKeys, ...(formerTicketKeys && { formerTicketKeys }) };
}

interface Answer {
  readonly error?: string;
  readonly reply?: WorkerReply;
}

function logFiles({ frontends }: BalanceSettings): ReadonlySet<string> {
  const logs = frontends.map(({ accessLog }) => accessLog);
  return new Set(logs.flatMap(({ format, file }) => (format === "off" ? [] : [file])));
}
