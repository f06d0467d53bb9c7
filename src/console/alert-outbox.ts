/** Messages on their way to one place: in order, kept on disk, tried again with back-off, bounded. */

import { mkdirSync } from "node:fs";
import type { Mail } from "../core/notify/commands.ts";
import { type MailInput, MailQueue } from "../core/notify/mail-queue.ts";
import { monotonicMs } from "../drivers/clock.ts";
import type { MailOutcome } from "../drivers/mail.ts";
import { MailSpool } from "../drivers/mail-spool.ts";

export interface OutboxOptions {
  /** Where waiting messages are kept; made when it is not there. */
  readonly directory: string;
  readonly attempt: (mail: Mail) => Promise<MailOutcome>;
  readonly note: (reason: string) => void;
}

export class AlertOutbox {
  readonly #options: OutboxOptions;
  readonly #queue = new MailQueue();
  readonly #spool: MailSpool;
  #timer: NodeJS.Timeout | undefined;
  #problem: string | undefined;
  #closed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    try {
      mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    } catch {
      // What cannot be kept is told when it is to be kept.
    }
    this.#spool = new MailSpool(options.directory);
    for (const mail of this.#spool.load()) this.add(mail);
  }

  /** On disk when this returns. */
  add(mail: Mail): void {
    this.#step({ type: "mail-queued", mail });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #step(input: MailInput): void {
    if (this.#closed) return;
    const before = this.#queue.waiting.length;
    const actions = this.#queue.step(monotonicMs(), input);
    if (input.type === "mail-queued" || this.#queue.waiting.length !== before) this.#save();
    for (const action of actions) {
      if (action.type === "note") this.#options.note(action.reason);
      else void this.#attempt(action.mail);
    }
    clearTimeout(this.#timer);
    const { deadline } = this.#queue;
    if (deadline === Infinity) return;
    const delayMs = Math.max(0, deadline - monotonicMs());
    this.#timer = setTimeout(() => this.#step({ type: "woken" }), delayMs);
    this.#timer.unref();
  }

  async #attempt(mail: Mail): Promise<void> {
    const outcome = await this.#options.attempt(mail);
    this.#step(outcome.sent ? { type: "mail-sent" } : { type: "mail-failed", ...outcome });
  }

  #save(): void {
    const problem = this.#spool.save(this.#queue.waiting);
    if (problem !== undefined && problem !== this.#problem) this.#options.note(problem);
    this.#problem = problem;
  }
}
