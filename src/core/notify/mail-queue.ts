/**
 * The mails that wait for the SMTP server: in order, one at a time, retried with back-off,
 * bounded. An alert that cannot be delivered for a day has lost its point and is given up.
 */

import type { Machine } from "../../lib/deadline-machine.ts";
import type { Mail } from "./commands.ts";

/** Mails that wait; the oldest gives way, because the newest tells where things stand. */
export const MAIL_LIMIT = 256;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 300_000;
const GIVE_UP_AFTER_MS = 86_400_000;

export type MailInput =
  | { readonly type: "woken" }
  | { readonly type: "mail-queued"; readonly mail: Mail }
  | { readonly type: "mail-sent" }
  /** `permanent`: the server said that trying again is of no use (5xx). */
  | { readonly type: "mail-failed"; readonly permanent: boolean; readonly reason: string };

export type MailAction =
  /** Answered by one `mail-sent` or `mail-failed`. */
  | { readonly type: "send-mail"; readonly mail: Mail }
  | { readonly type: "note"; readonly reason: string };

interface Waiting {
  readonly mail: Mail;
  readonly sinceMs: number;
}

export class MailQueue implements Machine<MailInput, MailAction> {
  readonly #waiting: Waiting[] = [];
  #failures = 0;
  #retryAt = Infinity;
  #sending: Waiting | undefined;
  #actions: MailAction[] = [];

  get deadline(): number {
    return this.#retryAt;
  }

  get waiting(): readonly Mail[] {
    return this.#waiting.map((entry) => entry.mail);
  }

  step(now: number, input: MailInput): readonly MailAction[] {
    this.#actions = [];
    switch (input.type) {
      case "mail-queued":
        this.#queued(now, input.mail);
        break;
      case "mail-sent":
        this.#failures = 0;
        this.#finish();
        this.#send();
        break;
      case "mail-failed":
        this.#failed(now, input.permanent, input.reason);
        break;
      case "woken":
        if (now < this.#retryAt) break;
        this.#retryAt = Infinity;
        this.#send();
    }
    return this.#actions;
  }

  #queued(now: number, mail: Mail): void {
    this.#waiting.push({ mail, sinceMs: now });
    if (this.#waiting.length > MAIL_LIMIT) {
      const victim = this.#sending === this.#waiting[0] ? 1 : 0;
      const [dropped] = this.#waiting.splice(victim, 1);
      this.#note(`mail "${dropped!.mail.subject}" dropped: too many wait for the mail server`);
    }
    if (this.#retryAt === Infinity) this.#send();
  }

  #failed(now: number, permanent: boolean, reason: string): void {
    const entry = this.#sending;
    if (entry === undefined) return;
    if (permanent || now - entry.sinceMs > GIVE_UP_AFTER_MS) {
      this.#note(`mail "${entry.mail.subject}" given up: ${reason}`);
      this.#finish();
      this.#send();
      return;
    }
    this.#sending = undefined;
    const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    // One line when the trouble starts; the retries are silent.
    if (this.#failures++ === 0) {
      this.#note(`mail "${entry.mail.subject}" not delivered yet, trying again: ${reason}`);
    }
    this.#retryAt = now + delayMs;
  }

  #finish(): void {
    if (this.#sending !== undefined) this.#waiting.shift();
    this.#sending = undefined;
  }

  #send(): void {
    const entry = this.#waiting[0];
    if (entry === undefined || this.#sending !== undefined) return;
    this.#sending = entry;
    this.#actions.push({ type: "send-mail", mail: entry.mail });
  }

  #note(reason: string): void {
    this.#actions.push({ type: "note", reason });
  }
}
