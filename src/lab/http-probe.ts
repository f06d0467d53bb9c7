/** A client that starts a request each interval, whatever became of the earlier ones. */
import { Alarm } from "../drivers/alarm.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { HttpConnection } from "./http-exchange.ts";
import { ProbeLog, measureInTime } from "./probe-log.ts";

export interface HttpProbing {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly intervalMs: number;
  /** Later answers do not count. */
  readonly limitMs: number;
  /** A connection per request. */
  readonly isFresh: boolean;
}

const LONGEST_BACKLOG_MS = 20;
/** Requests under way at once: an outage as long as the limit, and some. */
const MAX_UNDER_WAY = 4000;

const LAST_LOOKS_MS = 5;

/** Until standard input closes; tells what it sees on standard output, see `ProbeLog`. */
export function probeHttp(settings: HttpProbing): void {
  measureInTime();
  new HttpProber(settings).start();
}

class HttpProber {
  readonly #settings: HttpProbing;
  readonly #log: ProbeLog;
  readonly #head: string;
  /** Open and without a request. */
  readonly #idle: HttpConnection[] = [];
  /** In order of sending, so that the first is always the first to be too late. */
  readonly #underWay = new Map<HttpConnection, number>();
  // Through setImmediate, because `net.connect` goes on in nextTick: see `watchReadable`.
  readonly #alarm = new Alarm(() => setImmediate(() => this.#askDue()));
  #nextMs = monotonicMs();
  #stopped = false;

  constructor(settings: HttpProbing) {
    this.#settings = settings;
    const { address, port, path, intervalMs, limitMs, isFresh } = settings;
    const host = address.includes(":") ? `[${address}]` : address;
    const closing = isFresh ? "Connection: close\r\n" : "";
    this.#head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${closing}\r\n`;
    this.#log = new ProbeLog({ target: `http://${host}:${port}${path}`, intervalMs, limitMs });
  }

  start(): void {
    this.#alarm.set(this.#nextMs);
    this.#log.tellUntilStopped(() => this.#stop());
  }

  /** Who has asked gets its answer, if that comes in time: it was no failure that we left. */
  async #stop(): Promise<void> {
    this.#stopped = true;
    this.#alarm.close();
    while (this.#underWay.size > 0) {
      this.#abandonLate(monotonicMs());
      await new Promise((resolve) => setTimeout(resolve, LAST_LOOKS_MS));
    }
    for (const one of this.#idle) one.close();
  }

  #askDue(): void {
    if (this.#stopped) return;
    const now = monotonicMs();
    this.#abandonLate(now);
    this.#nextMs = Math.max(this.#nextMs, now - LONGEST_BACKLOG_MS);
    for (; this.#nextMs <= now && !this.#log.isFull; this.#nextMs += this.#settings.intervalMs) {
      this.#ask();
    }
    this.#alarm.set(this.#log.isFull ? Infinity : this.#nextMs);
  }

  #ask(): void {
    const sentMs = monotonicMs();
    const probe = this.#log.sent(sentMs);
    if (this.#underWay.size >= MAX_UNDER_WAY) return this.#log.failed();
    const { address, port } = this.#settings;
    const connection = this.#takeIdle() ?? new HttpConnection(address, port);
    this.#underWay.set(connection, sentMs);
    connection.request(this.#head, (answer) => {
      this.#underWay.delete(connection);
      if (answer?.status === 200) this.#log.answered(probe, answer.by, monotonicMs());
      else this.#log.failed();
      if (answer?.reusable === true && connection.isOpen) this.#idle.push(connection);
    });
    return undefined;
  }

  /** The most recently used first, so that few connections do the work. */
  #takeIdle(): HttpConnection | undefined {
    for (let found = this.#idle.pop(); found !== undefined; found = this.#idle.pop()) {
      if (found.isOpen) return found;
    }
    return undefined;
  }

  #abandonLate(now: number): void {
    for (const [connection, sentMs] of this.#underWay) {
      if (now - sentMs <= this.#settings.limitMs) return;
      connection.close();
    }
  }
}
