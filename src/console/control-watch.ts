/**
 * The line to control: follows its events for ever, from where the journal ended, and knows the
 * configuration in force. A control process that is gone is waited for.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { LoggedEvent, NodeStatus, ServiceFacts } from "../daemon/control-api.ts";
import { ControlClient } from "../daemon/control-client.ts";
import type { EventPlace } from "../drivers/journal-store.ts";

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1_000;

export interface ControlListener {
  /** In order, each once. */
  event(event: LoggedEvent, place: EventPlace): void;
  /** Control had forgotten them before they were read. */
  missed(count: number): void;
  /** First, and whenever another one is in force. */
  configured(service: ServiceFacts): void;
  /** What it says of itself, whoever asked. */
  told(status: NodeStatus): void;
  /** Control is of another version than at first: this process is of the older one. */
  outdated(): void;
  /** Told once each. */
  reachable(isReachable: boolean): void;
}

export class ControlWatch {
  readonly client: ControlClient;
  readonly #listener: ControlListener;
  readonly #closing = new AbortController();
  #place: EventPlace | undefined;
  #service: ServiceFacts | undefined;
  #version: string | undefined;
  #isReachable: boolean | undefined;
  #retryMs = FIRST_RETRY_MS;

  constructor(socketPath: string, place: EventPlace | undefined, listener: ControlListener) {
    this.client = new ControlClient(socketPath);
    this.#place = place;
    this.#listener = listener;
  }

  /** Undefined until control has told it once; then the last one known. */
  get service(): ServiceFacts | undefined {
    return this.#service;
  }

  get isReachable(): boolean {
    return this.#isReachable === true;
  }

  async status(): Promise<NodeStatus> {
    const status = await this.client.status();
    this.#listener.told(status);
    return status;
  }

  /** Returns after `close`. */
  async run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#learn();
        this.#say(true);
        this.#retryMs = FIRST_RETRY_MS;
        await this.client.follow(this.#from(), (event, life) => this.#take(event, life), signal);
      } catch {
        // It is being started again, or it is gone: both are waited for.
      }
      if (signal.aborted) return;
      this.#say(false);
      await sleep(this.#retryMs);
      this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
    }
  }

  /** What has not come over the stream yet; then nothing more. */
  async close(): Promise<void> {
    try {
      const { events, life } = await this.client.eventsOfLife(this.#from());
      for (const event of events) this.#take(event, life);
    } catch {
      // It is gone already.
    }
    this.#closing.abort();
  }

  #from(): { readonly seq: number; readonly life?: string } {
    return this.#place ?? { seq: 0 };
  }

  #take(event: LoggedEvent, life: string): void {
    const isSame = this.#place?.life === life;
    const known = isSame ? (this.#place?.seq ?? 0) : 0;
    if (event.seq <= known || this.#closing.signal.aborted) return;
    if (event.seq > known + 1) this.#listener.missed(event.seq - known - 1);
    this.#place = { life, seq: event.seq };
    this.#listener.event(event, this.#place);
    if (event.kind === "configuration-loaded") void this.#learnAgain();
  }

  /** Whoever has just read a large configuration may be too busy to answer at once. */
  async #learnAgain(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        return await this.#learn();
      } catch {
        await sleep(LONGEST_RETRY_MS, undefined, { ref: false });
      }
    }
  }

  async #learn(): Promise<void> {
    this.#service = await this.client.service();
    const { version } = await this.status();
    this.#version ??= version;
    if (version !== this.#version) this.#listener.outdated();
    this.#listener.configured(this.#service);
  }

  #say(isReachable: boolean): void {
    if (this.#isReachable === isReachable) return;
    const isFirst = this.#isReachable === undefined;
    this.#isReachable = isReachable;
    if (!isFirst) this.#listener.reachable(isReachable);
  }
}
