/** Asks one other node again and again, and remembers the last that it said. */

import { Agent, request } from "node:https";
import type { PeerCertificate } from "node:tls";
import { gunzipSync } from "node:zlib";
import type { JournalRecord } from "../core/journal/record.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import type { Peer } from "./group-view.ts";
import { strangenessOf, type Papers } from "./group-files.ts";
import { MAX_BATCH } from "./group-server.ts";
import { NEWS_FORMAT, type LedgerNews } from "./ledger-news.ts";
import { PART_FORMAT, type NodePart } from "./node-part.ts";
import type { ReplacedPapers } from "./replaced-papers.ts";

const EVERY_MS = 2_000;
const WITHIN_MS = 3_000;
/** The part of a node with ten thousand servers is 4 MB. */
const MAX_ANSWER = 32 * 1024 * 1024;
/** Records of another node that are asked for at first, newest; the rest is in its own journal. */
const FIRST_RECORDS = 1_000;
/** Batches at once after a long absence: the rest comes at the next look. */
const MAX_BATCHES = 4;

export interface PeerOptions {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly papers: Papers;
  readonly replaced: ReplacedPapers;
  /** After every look. */
  readonly looked: () => void;
  readonly heard: (records: readonly JournalRecord[]) => void;
}

export class PeerWatch {
  readonly #options: PeerOptions;
  readonly #agent: Agent;
  #timer: NodeJS.Timeout | undefined;
  #part: NodePart | undefined;
  #heardMs = 0;
  #reason = "it has not been asked yet";
  #offsetMs: number | undefined;
  #certificateEndsMs: number | undefined;
  #lastSeq: number | undefined;
  #news: LedgerNews | undefined;
  #isClosed = false;

  constructor(options: PeerOptions) {
    this.#options = options;
    const { certificate: cert, key, authority: ca } = options.papers;
    this.#agent = new Agent({
      cert,
      key,
      ca,
      minVersion: "TLSv1.3",
      keepAlive: true,
      maxSockets: 1,
      checkServerIdentity: (_host, peer) => this.#strangeness(peer),
    });
    void this.#look();
  }

  get peer(): Peer {
    const { name, address } = this.#options;
    const [part, offset, ends] = [this.#part, this.#offsetMs, this.#certificateEndsMs];
    const news = this.#news;
    return {
      name,
      address,
      reason: this.#reason,
      ...(part === undefined ? {} : { part, ageMs: Math.round(monotonicMs() - this.#heardMs) }),
      ...(news === undefined ? {} : { news }),
      ...(offset === undefined ? {} : { clockOffsetMs: offset }),
      ...(ends === undefined ? {} : { certificateEndsMs: ends }),
    };
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#agent.destroy();
  }

  /** A question of somebody who waits; with a body it is an order, and what follows from it is read. */
  async ask(path: string, body?: object): Promise<unknown> {
    const answer = await this.#ask(path, body);
    if (body !== undefined) await this.#look();
    return answer;
  }

  async #look(): Promise<void> {
    const { name } = this.#options;
    try {
      const askedMs = monotonicMs();
      const part = (await this.#ask("/api/v1/node")) as NodePart;
      if (part.format !== PART_FORMAT) {
        throw new Error(`it speaks format ${part.format}, this node ${PART_FORMAT}: upgrade both`);
      }
      if (part.node !== name) throw new Error(`it calls itself ${part.node}`);
      const nowMs = monotonicMs();
      this.#noteOffset(part.nowMs - (wallMs() - (nowMs - askedMs) / 2));
      this.#part = part;
      this.#heardMs = nowMs;
      this.#reason = "it answers";
      await this.#readNews(part.ledger);
      await this.#readRecords(part.lastSeq);
    } catch (error) {
      this.#reason = reasonOf(error);
    }
    if (this.#isClosed) return;
    this.#options.looked();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), EVERY_MS);
    this.#timer.unref();
  }

  /** Clocks tremble by the way to and fro: a small difference is no news. */
  #noteOffset(offsetMs: number): void {
    const known = this.#offsetMs;
    if (known === undefined || Math.abs(known - offsetMs) > 20) {
      this.#offsetMs = Math.round(offsetMs);
    }
  }

  async #readNews(stamp: string | undefined): Promise<void> {
    if (stamp === undefined || stamp === this.#news?.stamp) return;
    const news = (await this.#ask("/api/v1/node/ledger")) as LedgerNews;
    // Of another version: its incidents are on its own page.
    if (news.format === NEWS_FORMAT) this.#news = news;
  }

  async #readRecords(lastSeq: number): Promise<void> {
    // A journal that begins anew has smaller numbers.
    let after = this.#lastSeq ?? Math.max(0, lastSeq - FIRST_RECORDS);
    if (after > lastSeq) after = Math.max(0, lastSeq - FIRST_RECORDS);
    for (let i = 0; i < MAX_BATCHES && after < lastSeq; i++) {
      const path = `/api/v1/node/records?after=${after}`;
      const records = (await this.#ask(path)) as readonly JournalRecord[];
      const last = records.at(-1);
      if (last === undefined) break;
      after = last.seq;
      this.#options.heard(records);
      if (records.length < MAX_BATCH) break;
    }
    this.#lastSeq = after;
  }

  #ask(path: string, body?: object): Promise<unknown> {
    const { address: host, port } = this.#options;
    const method = body === undefined ? "GET" : "POST";
    const to = { host, port, path, method, agent: this.#agent, servername: "" };
    return new Promise((resolve, reject) => {
      const asked = request({ ...to, timeout: WITHIN_MS }, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER) response.destroy(new Error("its answer is too long"));
          else chunks.push(chunk);
        });
        response.on("error", reject);
        response.on("end", () => {
          try {
            const bytes = gunzipSync(Buffer.concat(chunks), { maxOutputLength: MAX_ANSWER });
            const value = JSON.parse(bytes.toString("utf8")) as { readonly error?: string };
            if (response.statusCode !== 200) throw new Error(value.error ?? "it is in trouble");
            resolve(value);
          } catch (error) {
            reject(error);
          }
        });
      });
      const deadline = setTimeout(() => asked.destroy(new Error("it does not answer")), WITHIN_MS);
      asked.on("timeout", () => asked.destroy(new Error("it does not answer")));
      asked.on("error", reject);
      asked.on("close", () => clearTimeout(deadline));
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #strangeness(certificate: PeerCertificate): Error | undefined {
    const { papers, name } = this.#options;
    const member = { group: papers.group, node: name };
    const why = strangenessOf(certificate.subjectaltname, member);
    if (why !== undefined) return why;
    const stale = this.#options.replaced.whyReplaced(member, certificate.valid_from);
    if (stale !== undefined) return new Error(stale);
    this.#certificateEndsMs = Date.parse(certificate.valid_to);
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return error.message === "" ? (code ?? "no reason was given") : error.message;
}
