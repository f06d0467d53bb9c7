/** Names of servers become addresses. The last good answer is kept while the name service fails. */

import { lookup } from "node:dns/promises";
import { monotonicMs } from "../drivers/clock.ts";

/** How often a name is asked for again; the resolver's cache is the system's. */
const ASK_EVERY_MS = 5_000;

export interface NameTrouble {
  readonly reason: string;
  /** Monotonic. */
  readonly sinceMs: number;
}

export interface NamesListener {
  /** An address was found for the first time or is another one now. */
  changed(host: string, address: string): void;
  /** Told once until it works again. */
  failed(host: string, reason: string): void;
}

export class ServerNames {
  readonly #listener: NamesListener;
  readonly #known = new Map<string, string>();
  readonly #failing = new Map<string, NameTrouble>();
  #hosts: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;

  constructor(listener: NamesListener) {
    this.#listener = listener;
  }

  addressOf(host: string): string | undefined {
    return this.#known.get(host);
  }

  /** Of a name that has no address, not even an earlier one. */
  troubleOf(host: string): NameTrouble | undefined {
    return this.#known.has(host) ? undefined : this.#failing.get(host);
  }

  /** Resolves new names before it returns, so that a start does not begin without servers. */
  async watch(hosts: readonly string[]): Promise<void> {
    this.#hosts = new Set(hosts);
    for (const what of [this.#known, this.#failing]) {
      for (const host of what.keys()) if (!this.#hosts.has(host)) what.delete(host);
    }
    await this.#askAll(
      [...this.#hosts].filter((host) => !this.#known.has(host)),
      false,
    );
    this.#again();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#hosts = new Set();
  }

  #again(): void {
    // Those who ask may have been overtaken by a reload, which asks again as well.
    clearTimeout(this.#timer);
    if (this.#hosts.size === 0) return;
    this.#timer = setTimeout(() => {
      void this.#askAll([...this.#hosts], true).then(() => this.#again());
    }, ASK_EVERY_MS);
    this.#timer.unref();
  }

  async #askAll(hosts: readonly string[], tell: boolean): Promise<void> {
    await Promise.all(hosts.map((host) => this.#ask(host, tell)));
  }

  async #ask(host: string, tell: boolean): Promise<void> {
    try {
      const answers = (await lookup(host, { all: true })).map(({ address }) => address);
      this.#failing.delete(host);
      const before = this.#known.get(host);
      const [address] = answers;
      // Of several addresses any order may come: the one in use stays while it is among them.
      if (address === undefined || !this.#hosts.has(host)) return;
      if (before !== undefined && answers.includes(before)) return;
      this.#known.set(host, address);
      if (tell) this.#listener.changed(host, address);
    } catch (error) {
      if (this.#failing.has(host) || !this.#hosts.has(host)) return;
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      this.#failing.set(host, { reason, sinceMs: monotonicMs() });
      this.#listener.failed(host, reason);
    }
  }
}
