/**
 * Server-sent events (WHATWG HTML 9.2): the first answer is the whole overview, then what changes, and every
 * record as it is written. A reader that is too slow is dropped; its browser comes again with
 * `Last-Event-ID` and gets the records that it missed.
 */

import type { ServerResponse } from "node:http";
import { onBeat } from "../drivers/beat.ts";
import type { Overview, RecordView, Viewer } from "./api.ts";
import { changeBetween } from "./overview-change.ts";
import type { Wording } from "./wording.ts";

/** Bytes that may wait for a reader; the overview of a thousand servers is a third of that. */
const MAX_UNSENT = 1024 * 1024;
const MAX_STREAMS = 64;
/** A proxy in between takes silence for death after 30 s or more. */
const HEARTBEAT_MS = 10_000;
/** A browser that lost us asks again after that. */
const RETRY_MS = 1_000;

export interface Reader {
  readonly response: ServerResponse;
  readonly viewer: Viewer;
  /** False: the token or cookie that it came with has ended since. */
  readonly isWelcome: () => boolean;
  readonly wording?: Wording;
}

interface Stream extends Reader {
  /** As seen by nobody, so that what is new is worked out once for all. */
  shown: Overview;
}

/** `NODE:SEQ` of this node's journal: where a browser goes on. */
export function eventId({ node, seq }: Pick<RecordView, "node" | "seq">): string {
  return `${node}:${seq}`;
}

/** The number behind the last event of this node; undefined: not one of ours. */
export function seqOfEventId(id: string | undefined, node: string): number | undefined {
  if (id === undefined || !id.startsWith(`${node}:`)) return undefined;
  const seq = Number(id.slice(node.length + 1));
  return Number.isSafeInteger(seq) && seq >= 0 ? seq : undefined;
}

export class EventStreams {
  readonly #streams = new Set<Stream>();
  readonly #stopBeating: () => void;

  constructor() {
    this.#stopBeating = onBeat(() => this.#beat(), HEARTBEAT_MS);
  }

  get count(): number {
    return this.#streams.size;
  }

  get isFull(): boolean {
    return this.#streams.size >= MAX_STREAMS;
  }

  /** `missed`: records that the reader has not seen, oldest first. */
  add(reader: Reader, overview: Overview, missed: readonly RecordView[]): void {
    const { response, viewer, wording } = reader;
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    const stream = { ...reader, shown: overview };
    this.#streams.add(stream);
    response.once("close", () => this.#streams.delete(stream));
    const seen = JSON.stringify({ ...overview, viewer }, wording);
    this.#write(stream, `retry: ${RETRY_MS}\n\n`);
    for (const record of missed) this.#write(stream, recordEvent(record, wording));
    this.#write(stream, `event: snapshot\ndata: ${seen}\n\n`);
  }

  /** What is new to each reader. */
  show(overview: Overview): void {
    const changes = new Map<Overview, (wording: Wording) => string>();
    for (const stream of this.#streams) {
      const { shown, wording } = stream;
      let textIn = changes.get(shown);
      if (textIn === undefined) {
        const change = changeBetween(shown, overview);
        textIn = once((as) =>
          change === undefined ? "" : `event: overview\ndata: ${JSON.stringify(change, as)}\n\n`,
        );
        changes.set(shown, textIn);
      }
      stream.shown = overview;
      const text = textIn(wording);
      if (text !== "") this.#write(stream, text);
    }
  }

  tell(record: RecordView): void {
    if (this.#streams.size === 0) return;
    const textIn = once((wording) => recordEvent(record, wording));
    for (const stream of this.#streams) this.#write(stream, textIn(stream.wording));
  }

  close(): void {
    this.#stopBeating();
    for (const stream of this.#streams) this.#drop(stream);
  }

  #beat(): void {
    for (const stream of this.#streams) {
      if (stream.isWelcome()) this.#write(stream, ": still here\n\n");
      else this.#drop(stream);
    }
  }

  #write(stream: Stream, text: string): void {
    if (!this.#streams.has(stream)) return;
    stream.response.write(text);
    if (stream.response.writableLength > MAX_UNSENT) this.#drop(stream);
  }

  #drop(stream: Stream): void {
    this.#streams.delete(stream);
    stream.response.destroy();
  }
}

function recordEvent(record: RecordView, wording: Wording): string {
  return `id: ${eventId(record)}\nevent: record\ndata: ${JSON.stringify(record, wording)}\n\n`;
}

/** Worked out once for all readers of a language. */
function once(make: (wording: Wording) => string): (wording: Wording) => string {
  const made = new Map<Wording, string>();
  return (wording) => {
    const text = made.get(wording) ?? make(wording);
    made.set(wording, text);
    return text;
  };
}
