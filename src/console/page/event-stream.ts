/**
 * Reads server-sent events (WHATWG HTML, 9.2.6) from pieces of text. The browser's own EventSource hides
 * comments, which are the server's sign of life, and gives up for good at the first error page.
 */

export interface StreamEvent {
  readonly type: string;
  readonly data: string;
  readonly id: string;
}

/** Longer lines than this are not from our server. */
const MOST_CHARS = 16_000_000;

export class EventStreamReader {
  #rest = "";
  #type = "";
  #data: string[] = [];
  #id = "";

  /** The events that are whole now. Throws when a line has no end. */
  read(piece: string): readonly StreamEvent[] {
    const events: StreamEvent[] = [];
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/u);
    this.#rest = lines.pop()!;
    if (this.#rest.length > MOST_CHARS) throw new Error("an event without an end");
    for (const line of lines) this.#line(line, events);
    return events;
  }

  #line(line: string, events: StreamEvent[]): void {
    if (line === "") {
      if (this.#data.length > 0) {
        events.push({ type: this.#type || "message", data: this.#data.join("\n"), id: this.#id });
      }
      this.#type = "";
      this.#data = [];
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /u, "");
    if (field === "event") this.#type = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id") this.#id = value;
  }
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8_000;

/** Before the next attempt, after `failures` (from 1) in a row; `random` 0 to 1 spreads the browsers. */
export function retryDelayMs(failures: number, random: number): number {
  const full = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 10));
  return full * (0.5 + random / 2);
}
