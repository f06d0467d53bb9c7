/** The page and its API as a part of the console: what is shown, put together from everything else. */

import { join } from "node:path";
import { DEFAULT_CONSOLE } from "../config/service/service-model.ts";
import type { JournalRecord } from "../core/journal/record.ts";
import { version } from "../daemon/version.ts";
import { wallMs } from "../drivers/clock.ts";
import { privateKeyAt } from "../drivers/private-file.ts";
import type { Overview, RecordView, StateAt, VerdictState } from "./api.ts";
import { apiRoutes, type PageModel, type RecordSearch } from "./api-routes.ts";
import type { ConsoleCore, ConsolePart, RunningPart } from "./console-core.ts";
import { Doors } from "./doors.ts";
import { EventStreams } from "./event-stream.ts";
import type { GroupFacts } from "./group-view.ts";
import type { IdentityRules } from "./identity.ts";
import { openApi } from "./open-api.ts";
import { NO_EXHIBITS, overviewOf, type Exhibits } from "./overview.ts";
import { pageRoutes } from "./page-routes.ts";
import { stateAt } from "./replay.ts";
import { HostList } from "./request-guard.ts";
import { RouteTable, type Route } from "./routes.ts";
import { sessionRoutes } from "./session-routes.ts";
import { StatusWatch } from "./status-watch.ts";
import { TokenBook, tokensPath } from "./tokens.ts";
import { WebServer } from "./web-server.ts";

const SHOWN_RECORDS = 50;
const MISSED_RECORDS = 1000;
const BEFORE_MS = 60_000;

export const PAGE: ConsolePart = {
  name: "the page",
  start: (core) => new Page(core),
};

class Page implements RunningPart, PageModel {
  readonly streams = new EventStreams();
  readonly #core: ConsoleCore;
  readonly #key: Buffer;
  readonly #doors: Doors;
  readonly #watch: StatusWatch;
  readonly #unlisten: () => void;
  #tokens: TokenBook;
  #tokensFile: string;
  #hosts = new HostList([]);
  #table = new RouteTable([]);
  #parts = -1;
  #recent: RecordView[] = [];
  #told: { state: VerdictState; sinceMs?: number } | undefined;
  #overview: Overview | undefined;

  constructor(core: ConsoleCore) {
    this.#core = core;
    this.#key = privateKeyAt(join(core.stateDirectory, "console.key"));
    this.#tokensFile = tokensPath(core.stateDirectory);
    this.#tokens = new TokenBook(this.#tokensFile);
    this.#recent = core.journal
      .find({ newest: true, limit: SHOWN_RECORDS })
      .map(recordView)
      .toReversed();
    this.#told = this.#lastVerdict();
    const web = new WebServer({
      routes: () => this.#routes(),
      hosts: () => this.#hosts,
      identity: this.identity,
      report: ({ kind, reason, from }) => this.#say("warning", kind, { reason, data: { from } }),
    });
    this.#doors = new Doors({
      socketPath: join(core.directory.path, "console.sock"),
      open: (options) => web.door(options),
      report: (place, trouble) => this.#sayPlace(place, trouble),
    });
    this.#watch = new StatusWatch({
      ask: () => core.control.client.status(),
      node: core.node,
      lastSeq: () => core.journal.lastSeq,
      isWatched: () => this.streams.count > 0,
      looked: () => this.#looked(),
    });
    this.#unlisten = core.journal.listen((records) => this.#heard(records));
    this.configured();
  }

  configured(): void {
    const service = this.#core.control.service;
    const settings = service?.console;
    // Before control has answered, only the unix socket is certain to be ours.
    if (settings === undefined) return;
    const file = settings.tokensFile ?? tokensPath(this.#core.stateDirectory);
    if (file !== this.#tokensFile) this.#tokens = new TokenBook(file);
    this.#tokensFile = file;
    const nodes = (service?.nodes ?? []).flatMap(({ name, address }) => [name, address]);
    const listen = settings.listen.flatMap((bind) => (bind.kind === "ip" ? [bind.address] : []));
    this.#hosts = new HostList([...nodes, ...listen, ...settings.allowedHosts]);
    this.#doors.configure(settings);
    this.#watch.soon();
  }

  close(): void {
    this.#unlisten();
    this.#watch.close();
    this.streams.close();
    this.#doors.close();
  }

  // ---- what routes ask for ----

  readonly node = (): string => this.#core.node();

  readonly identity = (): IdentityRules => {
    const { anonymous } = this.#core.control.service?.console ?? DEFAULT_CONSOLE;
    return { tokens: this.#tokens, key: this.#key, anonymous };
  };

  overview(): Overview {
    this.#overview ??= this.#made();
    return { ...this.#overview, nowMs: wallMs() };
  }

  records({ cursor, since, until, ...rest }: RecordSearch): {
    records: readonly RecordView[];
    next?: string;
  } {
    const before = cursor === undefined ? Number.NaN : Number(cursor);
    const found = this.#core.journal.find({
      ...rest,
      newest: true,
      ...(since === undefined ? {} : { sinceMs: since }),
      ...(until === undefined ? {} : { untilMs: until }),
      ...(Number.isSafeInteger(before) ? { beforeSeq: before } : {}),
    });
    const records = found.map(recordView).toReversed();
    const last = records.at(-1);
    const isAll = last === undefined || records.length < rest.limit;
    return isAll ? { records } : { records, next: String(last.seq) };
  }

  missed(seq: number): readonly RecordView[] {
    return this.#core.journal.after(seq, MISSED_RECORDS).map(recordView);
  }

  stateAt(atMs: number): StateAt {
    const { journal } = this.#core;
    const past = {
      atMs,
      of: (subject: string, limit: number): readonly JournalRecord[] =>
        journal.find({ subject, untilMs: atMs + 1, newest: true, limit }).toReversed(),
    };
    const around = { sinceMs: atMs - BEFORE_MS, untilMs: atMs + 1 };
    const records = journal.find({ ...around, newest: true, limit: SHOWN_RECORDS });
    const state = stateAt(this.overview(), past);
    return { ...state, records: records.map(recordView).toReversed() };
  }

  unready(): string | undefined {
    const { state, reason } = this.#watch.source;
    return state === "live" ? undefined : reason;
  }

  async metrics(): Promise<string> {
    const pages = this.#core.parts().map((part) => part.metricLines?.() ?? "");
    return [await this.#core.control.client.metrics(), ...pages].join("");
  }

  description(): object {
    return openApi(this.#routes().routes, version());
  }

  // ---- what happens ----

  #routes(): RouteTable {
    const parts = this.#core.parts();
    if (parts.length === this.#parts) return this.#table;
    this.#parts = parts.length;
    const own: readonly Route[] = [
      ...apiRoutes(this),
      ...sessionRoutes(this.identity),
      ...pageRoutes(),
    ];
    this.#table = new RouteTable([...parts.flatMap((part) => part.routes ?? []), ...own]);
    return this.#table;
  }

  #heard(records: readonly JournalRecord[]): void {
    const views = records.map(recordView);
    this.#recent = [...views.toReversed(), ...this.#recent].slice(0, SHOWN_RECORDS);
    for (const view of views) this.streams.tell(view);
    this.#watch.soon();
  }

  #looked(): void {
    const overview = this.#made();
    this.#overview = overview;
    const { state, sentence } = overview.verdict;
    // Right after a start nothing is known, and that says nothing of the service.
    const isEarly = state === "unknown" && this.#watch.status === undefined;
    if (!isEarly && state !== this.#told?.state) {
      const from = this.#told?.state ?? "unknown";
      this.#told = { state, sinceMs: overview.nowMs };
      const level = state === "up" ? "info" : state === "down" ? "error" : "warning";
      this.#say(level, "verdict-changed", { reason: sentence.text, data: { from, to: state } });
    }
    this.streams.show(overview);
  }

  #made(): Overview {
    return overviewOf({
      group: this.#group(),
      exhibits: this.#exhibits(),
      records: this.#recent,
      ...(this.#told === undefined ? {} : { before: this.#told }),
      troubles: this.#troubles(),
    });
  }

  #troubles(): readonly string[] {
    const { trouble } = this.#tokens;
    const journal = this.#core.journal.trouble;
    return [
      ...this.#doors.troubles,
      ...(trouble === undefined ? [] : [trouble]),
      ...(journal === undefined ? [] : [`the journal cannot be written: ${journal}`]),
    ];
  }

  #group(): GroupFacts {
    const service = this.#core.control.service;
    const node = this.#core.node();
    const self = this.#watch.part;
    const others = (service?.nodes ?? []).filter(({ name }) => name !== node);
    return {
      nowMs: wallMs(),
      node,
      version: version(),
      ...(self === undefined ? {} : { self }),
      ...(service === undefined ? {} : { service }),
      peers: others.map((one) => ({ ...one, reason: APART })),
      apart: APART,
    };
  }

  #exhibits(): Exhibits {
    let all = NO_EXHIBITS;
    for (const part of this.#core.parts()) {
      const more = part.exhibits?.();
      if (more === undefined) continue;
      all = { ...all, ...more, alerts: [...all.alerts, ...(more.alerts ?? [])] };
    }
    return all;
  }

  #lastVerdict(): { state: VerdictState; sinceMs?: number } | undefined {
    const query = { kind: "verdict-changed", newest: true, limit: 1 };
    const [record] = this.#core.journal.find(query);
    const state = record?.data?.["to"];
    if (record === undefined || !isVerdict(state)) return undefined;
    return { state, sinceMs: record.wallMs };
  }

  #sayPlace(place: string, trouble: string | undefined): void {
    const reason = trouble ?? `the page is at ${place}`;
    const kind = trouble === undefined ? "page-open" : "page-not-open";
    this.#say(trouble === undefined ? "info" : "warning", kind, { reason, data: { place } });
  }

  #say(
    level: JournalRecord["level"],
    kind: string,
    rest: Pick<JournalRecord, "reason"> & { readonly data?: Record<string, unknown> },
  ): void {
    this.#core.journal.say({ source: "console", level, kind, subject: "", ...rest });
  }
}

const APART = "the nodes are not connected: nines cert init, then nines cert invite NODE";

function isVerdict(state: unknown): state is VerdictState {
  return state === "up" || state === "degraded" || state === "down" || state === "unknown";
}

function recordView(record: JournalRecord): RecordView {
  const { monoMs: _monoMs, boot: _boot, seen: _seen, ...view } = record;
  return view;
}
