/**
 * One question to a server and the judgement of its answer: bytes in, bytes and a result out. A
 * probe lives for one attempt; deadlines are the business of `server-check.ts`.
 */

export interface ProbeResult {
  readonly ok: boolean;
  /** `status 503, wanted 200-399`; becomes part of the sentence that the operator reads. */
  readonly reason: string;
  readonly weightPercent?: number;
  readonly admin?: "ready" | "drain" | "maint";
  /** Requests at the same time, over all that balance; 0 = no limit. */
  readonly maxConnections?: number;
  readonly warning?: string;
  /** Who answered, where the answer says so. */
  readonly by?: string;
  /** A whole answer of an agent: its word, good or bad. */
  readonly isWord?: true;
  /** Such a word that speaks of neither up nor down, e.g. `75%`: what it said before holds. */
  readonly isSilentOnState?: true;
  /** The trouble is ours, e.g. no descriptor left: it says nothing of the server. */
  readonly isOurs?: true;
}

/** Nothing given: wait for more. */
export interface ProbeStep {
  readonly send?: Uint8Array;
  readonly result?: ProbeResult;
}

export const WAIT: ProbeStep = {};

export interface Probe {
  /** The connection stands (TLS included); a datagram socket is ready. */
  connected(): ProbeStep;
  /** The view may be used again by the caller. */
  received(bytes: Uint8Array): ProbeStep;
  /** The server ended the stream. */
  ended(): ProbeStep;
}

export function good(reason: string): ProbeStep {
  return { result: { ok: true, reason } };
}

export function bad(reason: string): ProbeStep {
  return { result: { ok: false, reason } };
}

const NOTHING = new Uint8Array(0);
const FIRST_BYTES = 512;

/** errno(3) names of what this machine lacks: descriptors, memory, ports, an address, the right. */
const OURS: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EADDRNOTAVAIL",
  "EACCES",
  "EPERM",
]);

/** Those of them that are about amounts, so never the configuration's mistake. */
export const LACKS: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM", "EAGAIN"]);

/** What ended an attempt from below. `text`: the sentence, by default the name itself. */
export function failure(errno: string, text: string = errno): ProbeResult {
  return { ok: false, reason: text, ...(OURS.has(errno) ? { isOurs: true } : {}) };
}

/** Bytes of a conversation, gathered up to a bound. */
export class Gathered {
  bytes: Uint8Array;
  length = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
    this.bytes = NOTHING;
  }

  /** What goes beyond the limit is dropped: it would not be looked at. */
  add(more: Uint8Array): void {
    const wanted = Math.min(this.#limit, this.length + more.length);
    if (wanted > this.bytes.length) {
      const grown = new Uint8Array(
        Math.min(this.#limit, Math.max(wanted, this.bytes.length * 2, FIRST_BYTES)),
      );
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(more.subarray(0, wanted - this.length), this.length);
    this.length = wanted;
  }

  get isFull(): boolean {
    return this.length === this.#limit;
  }
}
