/**
 * Keeps the line to the console: the whole picture first, then what changes. It comes back by itself when
 * the console restarts, waits longer after each failure, and notices a console that hangs by its
 * silence.
 */

import { batch } from "@preact/signals";
import type { Overview, OverviewChange, RecordView } from "../api.ts";
import { applyChange } from "../overview-change.ts";
import { EventStreamReader, retryDelayMs, type StreamEvent } from "./event-stream.ts";
import { language, t } from "./preferences.ts";
import { detailOf } from "./requests.ts";
import { clock, link, overview } from "./store.ts";

/** The console says something every 10 s. */
const SILENCE_MS = 25_000;
const MOST_RECORDS = 50;
/** What came is shown within, frame or not. */
const LATEST_MS = 250;
/** Why a line is given up. */
const ANEW = "asked anew";
const SILENT = "silent";

export type Listener = (before: Overview | undefined, after: Overview) => void;

export class Connection {
  #failures = 0;
  #lastSignMs = performance.now();
  #lastId = "";
  #abort = new AbortController();
  #wake: () => void = () => undefined;
  /** What has come and is not shown yet: one drawing for all that comes within a frame. */
  #waiting: Overview | undefined;
  readonly #listeners: Listener[] = [];

  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  async run(): Promise<never> {
    for (;;) {
      this.#abort = new AbortController();
      let reason = t("link.ended");
      try {
        reason = (await this.#follow()) ?? reason;
      } catch {
        const { aborted, reason: why } = this.#abort.signal;
        if (aborted && why === ANEW) continue;
        reason = t(aborted ? "link.silent" : "link.unreachable");
      }
      if (link.value.phase !== "refused") {
        this.#failures++;
        link.value = { phase: "lost", reason, sinceMs: this.#lastSignMs, failures: this.#failures };
      }
      const waitMs =
        link.value.phase === "refused" ? 30_000 : retryDelayMs(this.#failures, Math.random());
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, waitMs);
      });
    }
  }

  /** Now, as whoever we are by now, and in the language of now. */
  reconnect(): void {
    this.#lastId = "";
    this.#abort.abort(ANEW);
    this.#wake();
  }

  async #follow(): Promise<string | undefined> {
    const { signal } = this.#abort;
    let guard = setTimeout(() => undefined);
    const watch = (): void => {
      clearTimeout(guard);
      guard = setTimeout(() => this.#abort.abort(SILENT), SILENCE_MS);
    };
    const alive = (): void => {
      this.#lastSignMs = performance.now();
      watch();
    };
    watch();
    try {
      const response = await fetch("/api/v1/stream", {
        signal,
        cache: "no-store",
        headers: {
          accept: "text/event-stream",
          "accept-language": language.peek(),
          ...(this.#lastId === "" ? {} : { "last-event-id": this.#lastId }),
        },
      });
      if (response.status === 401 || response.status === 403) {
        link.value = { phase: "refused", reason: await detailOf(response) };
        return undefined;
      }
      if (!response.ok || response.body === null) return await detailOf(response);
      const reader = new EventStreamReader();
      for await (const piece of textOf(response.body)) {
        alive();
        for (const event of reader.read(piece)) this.#take(event);
      }
      return undefined;
    } finally {
      clearTimeout(guard);
    }
  }

  #take({ type, data, id }: StreamEvent): void {
    if (id !== "") this.#lastId = id;
    const current = this.#waiting ?? overview.value;
    if (type === "snapshot") {
      this.#failures = 0;
      this.#show(JSON.parse(data) as Overview);
    } else if (type === "overview" && current !== undefined) {
      this.#show(applyChange(current, JSON.parse(data) as OverviewChange));
    } else if (type === "record" && current !== undefined) {
      const record = JSON.parse(data) as RecordView;
      const same = ({ node, seq }: RecordView): boolean =>
        node === record.node && seq === record.seq;
      if (current.records.some(same)) return;
      this.#show({ ...current, records: [record, ...current.records].slice(0, MOST_RECORDS) });
    }
  }

  #show(next: Overview): void {
    clock.heard(next.nowMs, performance.now());
    const isFirst = this.#waiting === undefined;
    this.#waiting = next;
    if (!isFirst) return;
    // A hidden page gets no frames, and must not fall behind either.
    if (document.hidden || overview.value === undefined) this.#flush();
    else {
      requestAnimationFrame(() => this.#flush());
      // A page that is hidden just now gets none any more.
      setTimeout(() => this.#flush(), LATEST_MS);
    }
  }

  #flush(): void {
    const next = this.#waiting;
    this.#waiting = undefined;
    if (next === undefined) return;
    const before = overview.value;
    batch(() => {
      overview.value = next;
      if (link.value.phase !== "live") link.value = { phase: "live" };
    });
    for (const listener of this.#listeners) listener(before, next);
  }
}

async function* textOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}
