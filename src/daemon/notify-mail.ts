/** The mail alerts at work: the queue, its copy on disk, and the server. */

import { type Mail, mailFor, type NotifyRequest, withRouter } from "../core/notify/commands.ts";
import { MailQueue, type MailInput } from "../core/notify/mail-queue.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { sendMail, type MailRoute } from "../drivers/mail.ts";
import { MailSpool } from "../drivers/mail-spool.ts";
import type { Agenda, Sleeper } from "./agenda.ts";
import type { RoleModel } from "./role-protocol.ts";

/** What of a configuration counts here. */
export type MailModel = Pick<RoleModel, "mail"> & {
  readonly vrrp: { readonly routerId: string };
};

export class MailAlerts implements Sleeper {
  readonly #queue = new MailQueue();
  readonly #spool: MailSpool;
  readonly #agenda: Agenda;
  readonly #note: (reason: string) => void;
  #route: MailRoute | undefined;
  #onFault = true;
  #routerId = "";
  #problem: string | undefined;
  #isLoaded = false;

  constructor(stateDirectory: string, agenda: Agenda, note: (reason: string) => void) {
    this.#spool = new MailSpool(stateDirectory);
    this.#agenda = agenda;
    this.#note = note;
    agenda.add(this);
  }

  get deadline(): number {
    return this.#queue.deadline;
  }

  wake(): void {
    this.#step({ type: "woken" });
  }

  /** Mails of an earlier life are sent as soon as a server is known. */
  configure(model: MailModel): void {
    const { server, onFault, ...rest } = model.mail;
    this.#route = server === undefined || rest.to.length === 0 ? undefined : { server, ...rest };
    this.#onFault = onFault;
    this.#routerId = model.vrrp.routerId;
    // Once: a server that was away for a reload must not get what waits in the queue a second time.
    if (this.#isLoaded || this.#route === undefined) return;
    this.#isLoaded = true;
    for (const mail of this.#spool.load()) this.#step({ type: "mail-queued", mail });
  }

  /** On disk when this returns. */
  send(request: NotifyRequest): void {
    if (this.#route === undefined || (request.state === "FAULT" && !this.#onFault)) return;
    const mail = mailFor(request, this.#routerId, new Date(request.wallMs).toISOString());
    this.#step({ type: "mail-queued", mail });
  }

  /** Of servers; on disk when this returns, too. */
  tell(mail: Mail): void {
    if (this.#route === undefined) return;
    this.#step({ type: "mail-queued", mail: withRouter(mail, this.#routerId) });
  }

  close(): void {
    this.#agenda.delete(this);
  }

  #step(input: MailInput): void {
    const before = this.#queue.waiting.length;
    const actions = this.#queue.step(monotonicMs(), input);
    if (input.type === "mail-queued" || this.#queue.waiting.length !== before) this.#save();
    for (const action of actions) {
      if (action.type === "note") this.#note(action.reason);
      else void this.#attempt(action.mail);
    }
    this.#agenda.settle();
  }

  async #attempt(mail: Parameters<typeof sendMail>[1]): Promise<void> {
    if (this.#route === undefined) {
      const reason = "no mail server is configured any more";
      setImmediate(() => this.#step({ type: "mail-failed", permanent: true, reason }));
      return;
    }
    const outcome = await sendMail(this.#route, mail);
    this.#step(outcome.sent ? { type: "mail-sent" } : { type: "mail-failed", ...outcome });
  }

  #save(): void {
    const problem = this.#spool.save(this.#queue.waiting);
    if (problem !== undefined && problem !== this.#problem) this.#note(problem);
    this.#problem = problem;
  }
}
