/** Hands alerts on: to a mail server, to webhooks, to programs. Whatever fails is told, never thrown. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { alertBody, alertMail, alertRecord } from "../core/ledger/alert-message.ts";
import type { LedgerAlert } from "../core/ledger/ledger.ts";
import type { AlertSettings, WebhookSettings } from "../core/ledger/settings.ts";
import type { NotifyCommand } from "../core/vrrp/settings.ts";
import type { ServiceFacts } from "../daemon/control-api.ts";
import { type MailRoute, sendMail } from "../drivers/mail.ts";
import { checkScript } from "../drivers/script-facts.ts";
import { runScript, type ScriptDefaults } from "../drivers/script-runner.ts";
import { postJson } from "../drivers/webhook.ts";
import { AlertOutbox } from "./alert-outbox.ts";

/** A program that takes longer is killed, ms. */
const COMMAND_MS = 60_000;
/** Alerts that wait for a program; more are not told to it. */
const MAX_WAITING = 32;

interface Waiting {
  readonly command: NotifyCommand;
  readonly environment: Readonly<Record<string, string>>;
}

export class AlertDesk {
  readonly #directory: string;
  readonly #note: (reason: string) => void;
  readonly #outboxes = new Map<string, AlertOutbox>();
  #settings: AlertSettings = { mail: false, webhooks: [], commands: [] };
  #scripts: ScriptDefaults = {};
  #mailRoute: MailRoute | undefined;
  #waiting: Waiting[] = [];
  #running: { kill(signal: "SIGKILL"): void } | undefined;

  constructor(stateDirectory: string, note: (reason: string) => void) {
    this.#directory = join(stateDirectory, "alerts");
    this.#note = note;
  }

  /** Messages of an earlier life go on as soon as it is known where to. */
  configure({ ledger, vrrp }: Pick<ServiceFacts, "ledger" | "vrrp">): void {
    this.#settings = ledger.alerts;
    this.#scripts = vrrp.scripts;
    const { server, onFault: _, ...rest } = vrrp.mail;
    const canMail = ledger.alerts.mail && server !== undefined && rest.to.length > 0;
    this.#mailRoute = canMail ? { ...rest, server } : undefined;
    const wanted = new Set<string>();
    if (this.#mailRoute !== undefined) wanted.add(this.#mailBox());
    for (const webhook of ledger.alerts.webhooks) wanted.add(this.#webhookBox(webhook));
    for (const [key, outbox] of this.#outboxes) {
      if (wanted.has(key)) continue;
      outbox.close();
      this.#outboxes.delete(key);
    }
  }

  deliver(alert: LedgerAlert, node: string, atMs: number): void {
    const body = alertBody(alert, node, atMs);
    if (this.#mailRoute !== undefined) {
      const mail = alertMail(alert, node, atMs);
      this.#outboxes.get(this.#mailBox())?.add(mail);
    }
    const { subject } = alertRecord(alert);
    for (const webhook of this.#settings.webhooks) {
      this.#outboxes.get(this.#webhookBox(webhook))?.add({ subject, text: body });
    }
    for (const command of this.#settings.commands) this.#queue(command, alert, body);
  }

  close(): void {
    for (const outbox of this.#outboxes.values()) outbox.close();
    this.#waiting = [];
    this.#running?.kill("SIGKILL");
  }

  #mailBox(): string {
    return this.#box("mail", async (mail) => {
      if (this.#mailRoute !== undefined) return sendMail(this.#mailRoute, mail);
      return { sent: false, permanent: true, reason: "no mail server is configured any more" };
    });
  }

  #webhookBox(webhook: WebhookSettings): string {
    const digest = createHash("sha256").update(webhook.url).digest("hex").slice(0, 16);
    return this.#box(`webhook-${digest}`, ({ text }) => {
      // The secret may have changed since.
      const now = this.#settings.webhooks.find(({ url }) => url === webhook.url) ?? webhook;
      return postJson(now, text);
    });
  }

  #box(key: string, attempt: ConstructorParameters<typeof AlertOutbox>[0]["attempt"]): string {
    if (!this.#outboxes.has(key)) {
      const directory = join(this.#directory, key);
      const note = (reason: string): void => this.#note(`alert by ${key}: ${reason}`);
      this.#outboxes.set(key, new AlertOutbox({ directory, attempt, note }));
    }
    return key;
  }

  #queue(command: NotifyCommand, alert: LedgerAlert, body: string): void {
    const { kind, subject } = alertRecord(alert);
    const environment = { NINES_ALERT: body, NINES_KIND: kind, NINES_SERVICE: subject };
    if (this.#waiting.length >= MAX_WAITING) {
      this.#note(
        `alert ${kind} of ${subject} not told to ${command.argv[0]}: too many wait for it`,
      );
      return;
    }
    this.#waiting.push({ command, environment });
    this.#next();
  }

  /** One at a time, in order. */
  #next(): void {
    if (this.#running !== undefined) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    const [name] = next.command.argv;
    const problem = checkScript(next.command, this.#scripts);
    if (problem !== undefined) {
      this.#note(`alert not told: ${problem.reason}`);
      this.#next();
      return;
    }
    const running = runScript(
      { ...next.command, environment: next.environment },
      this.#scripts,
      ({ end, output }) => {
        clearTimeout(timer);
        this.#running = undefined;
        const failed = end.kind !== "exited" || end.code !== 0;
        if (failed) this.#note(`alert command ${name}: ${JSON.stringify(end)} ${output.trim()}`);
        this.#next();
      },
    );
    this.#running = running;
    const timer = setTimeout(() => running.kill("SIGKILL"), COMMAND_MS);
    timer.unref();
  }
}
