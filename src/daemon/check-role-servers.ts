/**
 * Checks of servers for the balancer, over `RUNDIR/check.sock`: the control role says what is
 * asked, everybody who is connected hears the verdicts.
 */

import type { Server } from "node:net";
import { onBeat } from "../drivers/beat.ts";
import { Prng } from "../lib/prng.ts";
import type { FromCheckRole, ToCheckRole } from "./balance-protocol.ts";
import { CheckedAddresses } from "./check-role-addresses.ts";
import { ServerNotices } from "../core/check/server-notices.ts";
import { CheckRunner } from "./check-runner.ts";
import type { MailAlerts } from "./notify-mail.ts";
import { NoticeDesk } from "./notice-desk.ts";
import type { NotifyLines } from "./notify-lines.ts";
import { type LineConnection, type LineHandlers, serveLines } from "./line-connection.ts";

/** Workers of a large machine, their successors, and two control processes. */
const MAX_CLIENTS = 1024;

/** How often the control role hears how all are, besides what changes. */
const ALL_EVERY_MS = 5_000;
/** What scripts of the end get. */
const END_MS = 5_000;

type Mails = Pick<MailAlerts, "configure" | "tell">;
type Connection = LineConnection<FromCheckRole>;

export class ServerChecks {
  readonly #clients = new Set<Connection>();
  readonly #controls = new Set<Connection>();
  readonly #runner: CheckRunner;
  readonly #addresses: CheckedAddresses;
  readonly #notices = new ServerNotices();
  readonly #desk: NoticeDesk;
  readonly #lines: NotifyLines;
  readonly #mails: Mails;
  #server: Server | undefined;
  #isConfigured = false;

  constructor(seed: number, lines: NotifyLines, mails: Mails) {
    this.#lines = lines;
    this.#mails = mails;
    this.#runner = new CheckRunner(
      new Prng(seed),
      (verdict) => {
        for (const client of this.#clients) client.send({ type: "verdicts", verdicts: [verdict] });
        this.#desk.run(this.#notices.heard(verdict.subject, verdict.up, verdict.reason));
      },
      (...said) => this.#desk.run(this.#notices.heardCheck(...said)),
    );
    this.#runner.onFailure = (subject, reason) => void this.note(subject, reason);
    this.#addresses = new CheckedAddresses(this.#runner, () => this.#tellSuspended());
    this.#desk = new NoticeDesk(
      (subject, reason) => this.note(subject, reason),
      (line) => lines.write("servers", line),
      (mail) => mails.tell(mail),
    );
  }

  /** False: no control role is there to hear it. */
  note(subject: string, reason: string): boolean {
    for (const control of this.#controls) control.send({ type: "note", subject, reason });
    return this.#controls.size > 0;
  }

  /** Takes the place of an earlier check process. Rejects when the socket cannot be had. */
  async listen(path: string): Promise<void> {
    onBeat(() => this.#tellControls(), ALL_EVERY_MS);
    this.#server = await serveLines<ToCheckRole, FromCheckRole>(
      path,
      (connection) => this.#accept(connection),
      MAX_CLIENTS,
    );
  }

  /** Scripts that run are waited for. */
  async finish(): Promise<void> {
    await this.#desk.finish(END_MS);
  }

  close(): void {
    this.#addresses.close();
    this.#runner.close();
    for (const client of this.#clients) client.close();
    this.#clients.clear();
    // The path may belong to our successor by now, and `close` would take it away.
    this.#server?.unref();
  }

  #accept(connection: Connection): LineHandlers<ToCheckRole> {
    return {
      message: (message) => {
        if (message.type === "tell-end") void this.#tellEnd(connection);
        else if (message.type === "hello") {
          this.#clients.add(connection);
          if (message.role === "control") {
            this.#controls.add(connection);
            this.#remember(message);
            if (this.#isConfigured) this.#tellSuspended();
          }
          connection.send({ type: "verdicts", verdicts: this.#runner.verdicts });
          // It may have heard of these before, and not that it holds no more.
          const subjects = this.#runner.forgotten;
          if (subjects.length > 0) connection.send({ type: "unknown", subjects });
        } else {
          this.#desk.security = message.scripts;
          if (message.mail !== undefined) this.#mails.configure(message.mail);
          const note = (reason: string): boolean => this.note("", reason);
          const context = { defaults: message.scripts, note };
          const { all, lvs } = message.fifos ?? {};
          const isLast = message.notices.length === 0;
          const told = this.#notices.configure(message.notices, message.pools);
          // The end of the last pool goes to the FIFO that closes with it.
          if (isLast) this.#desk.run(told);
          this.#lines.configure("servers", isLast ? [] : [all ?? {}, lvs ?? {}], context);
          if (!isLast) this.#desk.run(told);
          const unseen = this.#addresses.configure(message.targets);
          if (unseen !== undefined) note(unseen);
          const subjects = this.#runner.configure(message.targets, message.scripts);
          const news: FromCheckRole[] =
            subjects.length === 0 ? [] : [{ type: "unknown", subjects }];
          // Whoever came before there was anything to tell has not heard what is known.
          if (!this.#isConfigured) news.push({ type: "verdicts", verdicts: this.#runner.verdicts });
          this.#isConfigured = true;
          for (const client of this.#clients) for (const one of news) client.send(one);
          this.#tellSuspended();
        }
      },
      closed: () => {
        this.#clients.delete(connection);
        this.#controls.delete(connection);
      },
    };
  }

  /** A check process that has asked by itself knows better. */
  #remember({ known = [], asked, told = [] }: Extract<ToCheckRole, { type: "hello" }>): void {
    if (this.#isConfigured) return;
    this.#notices.rememberPools(told);
    this.#runner.remember(known, asked);
    for (const { subject, up } of known) this.#notices.remember(subject, up);
  }

  #tellSuspended(): void {
    const servers = this.#runner.suspended;
    for (const control of this.#controls) control.send({ type: "suspended", servers });
  }

  async #tellEnd(connection: Connection): Promise<void> {
    this.#desk.run(this.#notices.end());
    await this.finish();
    connection.send({ type: "end-told" });
  }

  /** Workers act on changes only; operators want to see how long the last check took. */
  #tellControls(): void {
    if (this.#controls.size === 0) return;
    const { verdicts } = this.#runner;
    for (const control of this.#controls) control.send({ type: "verdicts", verdicts });
  }
}
