/**
 * This node among the others: answers them, asks them, and follows its papers and the configuration as
 * they change. Without papers it is alone and says how to change that.
 */

import { statSync } from "node:fs";
import type { Server } from "node:https";
import type { JournalRecord } from "../core/journal/record.ts";
import { RateLimiter } from "../core/route/rate-limiter.ts";
import { onBeat } from "../drivers/beat.ts";
import { monotonicMs } from "../drivers/clock.ts";
import type { ServiceFacts } from "../daemon/control-api.ts";
import { groupPaths, readPapers, type Papers } from "./group-files.ts";
import { groupServer, type GroupSource } from "./group-server.ts";
import { type Peer, STALE_MS } from "./group-view.ts";
import type { LedgerDesk, Neighbour } from "./ledger-news.ts";
import type { NodePart } from "./node-part.ts";
import { PeerWatch } from "./peer-watch.ts";
import { ReplacedPapers } from "./replaced-papers.ts";

const LOOK_MS = 5_000;
const RETRY_MS = 5_000;
const MAX_STRANGERS = 256;

const ALONE =
  "the nodes are not connected: nines cert init, then request, invite and join for each other node";

export interface GroupOptions {
  readonly stateDirectory: string;
  readonly node: () => string;
  readonly service: () => ServiceFacts | undefined;
  readonly part: () => NodePart | undefined;
  readonly recordsAfter: (seq: number, limit: number) => readonly JournalRecord[];
  readonly ledger: () => LedgerDesk | undefined;
  /** Of each instance of this node the last change of its state up to then. */
  readonly past: (atMs: number) => readonly JournalRecord[];
  /** Another node told something, or did not answer. */
  readonly looked: () => void;
  readonly heard: (records: readonly JournalRecord[]) => void;
  readonly errands: GroupSource["errands"];
  readonly report: (kind: "stranger" | "group-trouble", reason: string) => void;
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly replaced: ReplacedPapers;
}

export class Group {
  readonly #options: GroupOptions;
  readonly #strangers = new RateLimiter({ perSecond: 1 / 60, burst: 2, size: MAX_STRANGERS });
  readonly #stopLooking: () => void;
  #papers: Papers | undefined;
  #trouble = ALONE;
  #listening: string | undefined;
  #server: Server | undefined;
  #retry: NodeJS.Timeout | undefined;
  #watches: readonly PeerWatch[] = [];
  #state = "";

  constructor(options: GroupOptions) {
    this.#options = options;
    this.#stopLooking = onBeat(() => this.configured(), LOOK_MS);
    this.configured();
  }

  /** Why other nodes cannot be asked; undefined: they can. */
  get apart(): string | undefined {
    return this.#papers === undefined ? this.#trouble : undefined;
  }

  get certificateEndsMs(): number | undefined {
    return this.#papers?.endsMs;
  }

  get troubles(): readonly string[] {
    const paper = this.#trouble === ALONE || this.#trouble === "" ? [] : [this.#trouble];
    return this.#listening === undefined ? paper : [...paper, this.#listening];
  }

  get peers(): readonly Peer[] {
    if (this.#watches.length > 0) return this.#watches.map((one) => one.peer);
    return this.#others().map((one) => ({ ...one, reason: this.#trouble }));
  }

  /** The others as the ledger needs them. */
  get neighbours(): readonly Neighbour[] {
    return this.#watches.map((watch) => {
      const { name, news, reason, ageMs, clockOffsetMs } = watch.peer;
      return {
        name,
        reason,
        aheadMs: clockOffsetMs ?? 0,
        ...(news === undefined ? {} : { news }),
        ...(ageMs === undefined || ageMs <= STALE_MS ? {} : { ageMs }),
        ask: (path, body) => watch.ask(path, body),
      };
    });
  }

  /**
   * What instances of the other nodes were at a moment of the past, from their own journals, by our
   * clock. Of nodes that do not answer nothing: what is remembered of them here has to do.
   */
  async past(atMs: number): Promise<readonly JournalRecord[]> {
    const told = this.neighbours.map(async (other) => {
      const { aheadMs, ageMs } = other;
      if (ageMs !== undefined) return [];
      const path = `/api/v1/node/past?at=${atMs + aheadMs}`;
      const records = (await other.ask(path).catch(() => [])) as readonly JournalRecord[];
      return records.map((one) => ({ ...one, wallMs: one.wallMs - aheadMs }));
    });
    return (await Promise.all(told)).flat();
  }

  /** Also by itself every few seconds: papers come and are renewed while it runs. */
  configured(): void {
    const service = this.#options.service();
    const port = service?.console.groupPort ?? 0;
    const state = JSON.stringify([service?.nodes, port, this.#options.node(), this.#stamp()]);
    if (service === undefined || state === this.#state) return;
    this.#state = state;
    this.#part();
    this.#papers = this.#read();
    if (this.#papers === undefined) return;
    const self = service.nodes.find(({ name }) => name === this.#options.node());
    const replaced = new ReplacedPapers(this.#options.stateDirectory, this.#papers.group);
    if (self !== undefined) this.#listen(this.#papers, { host: self.address, port, replaced });
    this.#watches = this.#others().map(
      ({ name, address }) =>
        new PeerWatch({
          name,
          address,
          port,
          papers: this.#papers!,
          replaced,
          looked: this.#options.looked,
          heard: this.#options.heard,
        }),
    );
  }

  close(): void {
    this.#stopLooking();
    this.#part();
  }

  #others(): readonly { readonly name: string; readonly address: string }[] {
    const node = this.#options.node();
    return (this.#options.service()?.nodes ?? []).filter(({ name }) => name !== node);
  }

  #stamp(): string {
    const { certificate, key, authority } = groupPaths(this.#options.stateDirectory);
    return [certificate, key, authority]
      .map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
      .join(" ");
  }

  #read(): Papers | undefined {
    const node = this.#options.node();
    try {
      const papers = readPapers(this.#options.stateDirectory);
      this.#trouble = papers === undefined ? ALONE : "";
      if (papers === undefined || papers.node === node) return papers;
      throw new Error(`its certificate is of ${papers.node}, and this node is ${node}`);
    } catch (error) {
      this.#trouble = `this node is in no group: ${(error as Error).message}`;
      this.#options.report("group-trouble", this.#trouble);
      return undefined;
    }
  }

  #listen(papers: Papers, { host, port, replaced }: Place): void {
    const { part, recordsAfter, errands, ledger, past, service, report } = this.#options;
    const server = groupServer(papers, {
      replaced,
      nodes: () => (service()?.nodes ?? []).map(({ name }) => name),
      part,
      recordsAfter,
      errands,
      ledger,
      past,
      stranger: (from, why) => {
        if (this.#strangers.take(monotonicMs(), from) > 0) return;
        report("stranger", `${from} is nobody of this group and was refused: ${why}`);
      },
    });
    this.#server = server;
    const listen = (): void => void server.listen({ host, port });
    server.on("error", (error) => {
      const reason = `other nodes cannot ask this one at ${host}:${port}: ${error.message}`;
      if (this.#listening !== reason) report("group-trouble", reason);
      this.#listening = reason;
      this.#retry = setTimeout(listen, RETRY_MS);
      this.#retry.unref();
    });
    server.on("listening", () => (this.#listening = undefined));
    listen();
  }

  #part(): void {
    clearTimeout(this.#retry);
    this.#listening = undefined;
    for (const watch of this.#watches) watch.close();
    this.#watches = [];
    this.#server?.removeAllListeners("error").on("error", () => undefined);
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = undefined;
  }
}
