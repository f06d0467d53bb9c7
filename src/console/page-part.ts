/** The page and its API as a part of the console: what is shown, put together from everything else. */

import { join } from "node:path";
import { DEFAULT_CONSOLE } from "../config/service/service-model.ts";
import { Timeline, type MergedRecord } from "../core/journal/merge.ts";
import type { JournalRecord } from "../core/journal/record.ts";
import { METRIC_NAMES, metricLines } from "../daemon/metrics.ts";
import { version } from "../daemon/version.ts";
import { wallMs } from "../drivers/clock.ts";
import { privateKeyAt } from "../drivers/private-file.ts";
import type { Overview, RecordPage, RecordView, StateAt, VerdictState } from "./api.ts";
import { actionRoutes } from "./action-routes.ts";
import { Actions } from "./actions.ts";
import { apiRoutes, type PageModel, type RecordSearch } from "./api-routes.ts";
import type { ConsoleCore, ConsolePart, RunningPart } from "./console-core.ts";
import { consoleMetrics } from "./console-metrics.ts";
import { Doors } from "./doors.ts";
import { EventStreams } from "./event-stream.ts";
import { Group } from "./group.ts";
import type { GroupFacts } from "./group-view.ts";
import type { IdentityRules } from "./identity.ts";
import type { LedgerDesk, Neighbour } from "./ledger-news.ts";
import type { NodePart } from "./node-part.ts";
import { openApi } from "./open-api.ts";
import { operatorActions } from "./operator-actions.ts";
import { judged, NO_EXHIBITS, overviewOf, type Exhibits } from "./overview.ts";
import { pageRoutes } from "./page-routes.ts";
import { pastOfInstances } from "./instance-past.ts";
import { latest, placed, recordPage, recordView } from "./record-pages.ts";
import { NodePresence, silenceOf } from "./node-presence.ts";
import { stateAt } from "./replay.ts";
import { HostList } from "./request-guard.ts";
import { RouteTable, type Route } from "./routes.ts";
import { sessionRoutes } from "./session-routes.ts";
import { StatusWatch } from "./status-watch.ts";
import { TokenBook, tokensPath } from "./tokens.ts";
import { WebServer } from "./web-server.ts";

const SHOWN_RECORDS = 50;
const MISSED_RECORDS = 1000;
/** Of each node, newest: for the story of all. */
const STORY_RECORDS = 1000;
const BEFORE_MS = 60_000;

export const PAGE: ConsolePart = {
  name: "the page",
  start: (core) => new Page(core),
};

class Page implements RunningPart, PageModel {
  readonly streams = new EventStreams();
  readonly #core: ConsoleCore;
  readonly #presence: NodePresence;
  readonly #key: Buffer;
  readonly #doors: Doors;
  readonly #watch: StatusWatch;
  readonly #unlisten: () => void;
  readonly #files = pageRoutes();
  readonly #actions: Actions;
  readonly #group: Group;
  #tokens: TokenBook;
  #tokensFile: string;
  #hosts = new HostList([]);
  #table = new RouteTable([]);
  #parts = -1;
  #timeline: Timeline;
  #name: string;
  #told: { state: VerdictState; sinceMs?: number } | undefined;
  #overview: Overview | undefined;

  constructor(core: ConsoleCore) {
    this.#core = core;
    this.#presence = new NodePresence(core.journal);
    this.#key = privateKeyAt(join(core.stateDirectory, "console.key"));
    this.#tokensFile = tokensPath(core.stateDirectory);
    this.#tokens = new TokenBook(this.#tokensFile);
    this.#name = core.node();
    this.#timeline = this.#newTimeline();
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
      ask: () => core.control.status(),
      node: core.node,
      lastSeq: () => core.journal.lastSeq,
      isWatched: () => this.streams.count > 0,
      looked: () => this.#looked(),
    });
    this.#actions = this.#makeActions();
    this.#group = this.#makeGroup();
    this.#unlisten = core.journal.listen((records) => this.#heard(records));
    this.configured();
  }

  configured(): void {
    const service = this.#core.control.service;
    const settings = service?.console;
    // Before control has answered, only the unix socket is certain to be ours.
    if (settings === undefined) return;
    if (this.#core.node() !== this.#name) {
      // Times of the story are told by the clock of the node that we are called now.
      this.#name = this.#core.node();
      this.#timeline = this.#newTimeline();
    }
    const file = settings.tokensFile ?? tokensPath(this.#core.stateDirectory);
    if (file !== this.#tokensFile) this.#tokens = new TokenBook(file);
    this.#tokensFile = file;
    const nodes = (service?.nodes ?? []).flatMap(({ name, address }) => [name, address]);
    const listen = settings.listen.flatMap((bind) => (bind.kind === "ip" ? [bind.address] : []));
    this.#hosts = new HostList([...nodes, ...listen, ...settings.allowedHosts]);
    this.#doors.configure(settings);
    this.#group.configured();
    this.#watch.soon();
  }

  close(): void {
    this.#unlisten();
    this.#watch.close();
    this.streams.close();
    this.#group.close();
    this.#doors.close();
  }

  neighbours(): readonly Neighbour[] {
    return this.#group.neighbours;
  }

  // ---- what routes ask for ----

  readonly node = (): string => this.#core.node();

  readonly identity = (): IdentityRules => {
    const { anonymous } = this.#core.control.service?.console ?? DEFAULT_CONSOLE;
    return { tokens: this.#tokens, key: this.#key, anonymous };
  };

  overview(): Overview {
    this.#watch.askedFor();
    this.#overview ??= this.#made();
    return { ...this.#overview, nowMs: wallMs() };
  }

  records(search: RecordSearch): RecordPage {
    const { node } = search;
    const others = this.#others
      .filter(({ record }) => node === undefined || record.node === node)
      .map(({ record, atMs }) => placed(record, atMs));
    return recordPage(search, (query) => this.#core.journal.find(query), others);
  }

  missed(seq: number): readonly RecordView[] {
    return this.#core.journal.after(seq, MISSED_RECORDS).map(recordView);
  }

  async stateAt(atMs: number): Promise<StateAt> {
    const { journal } = this.#core;
    const told = await this.#group.past(atMs);
    const remembered = this.#others.filter((one) => one.atMs <= atMs).map(({ record }) => record);
    const past = {
      atMs,
      // Their own journals know best; what is remembered here is the end of them.
      others: [...told, ...remembered.toReversed()],
      silence: (node: string) => silenceOf(journal, node, atMs),
      of: (subject: string, limit: number): readonly JournalRecord[] =>
        journal.find({ subject, untilMs: atMs + 1, newest: true, limit }).toReversed(),
    };
    const around = { sinceMs: atMs - BEFORE_MS, untilMs: atMs + 1, limit: SHOWN_RECORDS };
    const records = journal.find({ ...around, newest: true });
    const state = stateAt(this.overview(), past);
    return { ...state, records: records.map(recordView).toReversed() };
  }

  unready(): string | undefined {
    const { state, reason } = this.#watch.askedFor();
    return state === "live" ? undefined : reason;
  }

  async metrics(): Promise<string> {
    const { control, journal, parts } = this.#core;
    const own = consoleMetrics({
      overview: this.overview(),
      readers: this.streams.count,
      lastSeq: journal.lastSeq,
      isJournalWritten: journal.trouble === undefined,
    });
    const pages = parts().map((part) => part.metricLines?.() ?? "");
    // Without control its numbers are absent, and that it is down is the one that counts.
    return [await control.client.metrics().catch(controlIsDown), own, ...pages].join("");
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
      ...actionRoutes(this.#actions),
      ...sessionRoutes(this.identity, (who, from) => this.#signedIn(who, from)),
      ...this.#files,
    ];
    this.#table = new RouteTable([...parts.flatMap((part) => part.routes ?? []), ...own]);
    return this.#table;
  }

  #heard(records: readonly JournalRecord[]): void {
    this.#timeline.add(records);
    for (const record of records) this.streams.tell(recordView(record));
    this.#watch.soon();
  }

  #looked(): void {
    this.#overview = this.streams.count > 0 ? this.#made() : undefined;
    const { verdict, nodes, nowMs } = this.#overview ?? judged(this.#groupFacts());
    const { state, sentence } = verdict;
    // Right after a start nothing is known, and that says nothing of the service.
    const isEarly = state === "unknown" && this.#watch.status === undefined;
    if (!isEarly && state !== this.#told?.state) {
      const from = this.#told?.state ?? "unknown";
      this.#told = { state, sinceMs: nowMs };
      const level = state === "up" ? "info" : state === "down" ? "error" : "warning";
      this.#say(level, "verdict-changed", { reason: sentence.text, data: { from, to: state } });
    }
    this.#presence.look(nodes, nowMs);
    if (this.#overview !== undefined) this.streams.show(this.#overview);
  }

  #made(): Overview {
    return overviewOf({
      group: this.#groupFacts(),
      exhibits: this.#exhibits(),
      records: latest(this.#timeline.story),
      ...(this.#told === undefined ? {} : { before: this.#told }),
      troubles: this.#troubles(),
    });
  }

  #troubles(): readonly string[] {
    const { trouble } = this.#tokens;
    const journal = this.#core.journal.trouble;
    return [
      ...this.#doors.troubles,
      ...this.#group.troubles,
      ...(trouble === undefined ? [] : [trouble]),
      ...(journal === undefined ? [] : [`the journal cannot be written: ${journal}`]),
    ];
  }

  /** What the other nodes told, each at its moment by our clock. */
  get #others(): readonly MergedRecord[] {
    return this.#timeline.story.filter(({ record }) => record.node !== this.#core.node());
  }

  #groupFacts(): GroupFacts {
    const { service } = this.#core.control;
    const self = this.#watch.part;
    const { apart, peers, certificateEndsMs } = this.#group;
    return {
      nowMs: wallMs(),
      node: this.#core.node(),
      version: version(),
      peers,
      ...(self === undefined ? {} : { self }),
      ...(service === undefined ? {} : { service }),
      ...(apart === undefined ? {} : { apart }),
      ...(certificateEndsMs === undefined ? {} : { certificateEndsMs }),
    };
  }

  #makeGroup(): Group {
    const { journal, control, node, stateDirectory, parts } = this.#core;
    return new Group({
      stateDirectory,
      node,
      service: () => control.service,
      part: () => this.#partForOthers(),
      ledger: () => this.#ledger,
      past: (atMs) => pastOfInstances(control.service, journal, atMs),
      recordsAfter: (seq, limit) => journal.after(seq, limit),
      errands: () => parts().find((part) => part.errands !== undefined)?.errands,
      looked: () => this.#looked(),
      heard: (records) => {
        this.#timeline.add(records);
        for (const record of records) {
          journal.saw(record.node, record.seq);
          this.streams.tell(recordView(record));
        }
      },
      report: (kind, reason) => this.#say("warning", kind, { reason }),
    });
  }

  get #ledger(): LedgerDesk | undefined {
    return this.#core
      .parts()
      .map(({ ledger }) => ledger)
      .find((one) => one !== undefined);
  }

  #partForOthers(): NodePart | undefined {
    this.#watch.askedFor();
    const { part } = this.#watch;
    const stamp = this.#ledger?.news()?.stamp;
    if (part === undefined) return undefined;
    return {
      ...part,
      troubles: this.#troubles(),
      ...(stamp === undefined ? {} : { ledger: stamp }),
    };
  }

  #makeActions(): Actions {
    const { control, directory, journal, parts } = this.#core;
    const own = operatorActions({
      group: () => this.#groupFacts(),
      client: control.client,
      runDirectory: directory.path,
    });
    return new Actions({
      key: this.#key,
      find: (name) =>
        own[name] ??
        parts()
          .map((part) => part.actions?.[name])
          .find((one) => one !== undefined),
      refresh: async () => {
        await this.#watch.fresh();
        return this.unready();
      },
      audit: (entry) => journal.say({ source: "operator", ...entry }),
    });
  }

  #newTimeline(): Timeline {
    const timeline = new Timeline(STORY_RECORDS, { reference: this.#name });
    timeline.add(this.#core.journal.find({ newest: true, limit: STORY_RECORDS }));
    return timeline;
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

  #signedIn(who: string, from: string): void {
    const reason = `${who} signed in from ${from}`;
    const record = { source: "operator", level: "info", kind: "signed-in", subject: "" } as const;
    this.#core.journal.say({ ...record, reason, data: { who, from } });
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

function controlIsDown(): string {
  const name = METRIC_NAMES.find((one) => one.name === "nines_up");
  return name === undefined ? "" : `${metricLines(name, [[{}, 0]]).join("\n")}\n`;
}

function isVerdict(state: unknown): state is VerdictState {
  return state === "up" || state === "degraded" || state === "down" || state === "unknown";
}
