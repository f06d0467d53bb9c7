/** Carries out notifications: scripts, FIFO lines, mails, and the acknowledgement at the end. */

import { fifoLine, type NotifyRequest, type NotifySubject } from "../core/notify/commands.ts";
import { NotifyQueue, type NotifyAction, type NotifyInput } from "../core/notify/queue.ts";
import type { NotifyCommand } from "../core/vrrp/settings.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { checkScript } from "../drivers/script-facts.ts";
import { runScript, type RunningScript } from "../drivers/script-runner.ts";
import type { Agenda, Sleeper } from "./agenda.ts";
import type { CheckLink } from "./check-role-link.ts";
import type { NotifyLines } from "./notify-lines.ts";
import type { MailAlerts } from "./notify-mail.ts";
import type { RoleModel } from "./role-protocol.ts";

export class NotifyDesk implements Sleeper {
  readonly #link: CheckLink;
  readonly #agenda: Agenda;
  readonly #queue = new NotifyQueue();
  readonly #running = new Map<string, RunningScript>();
  readonly #mails: MailAlerts;
  readonly #lines: NotifyLines;
  #security: RoleModel["scripts"] = { enforce: true };
  /** Called whenever nothing waits and nothing runs; undefined: the node goes on. */
  #finished: (() => void) | undefined;
  #closed = false;

  constructor(link: CheckLink, agenda: Agenda, lines: NotifyLines, mails: MailAlerts) {
    this.#link = link;
    this.#lines = lines;
    this.#agenda = agenda;
    this.#mails = mails;
    agenda.add(this);
  }

  get deadline(): number {
    return this.#queue.deadline;
  }

  wake(): void {
    this.#step({ type: "woken" });
  }

  configure(model: RoleModel): void {
    this.#security = model.scripts;
    const { instances, groups } = model.vrrp;
    const subjects: NotifySubject[] = [
      ...instances.map(({ name, notify }) => ({ scope: "INSTANCE", name, notify }) as const),
      ...groups.map(({ name, notify }) => ({ scope: "GROUP", name, notify }) as const),
    ];
    this.#mails.configure(model);
    const context = { defaults: model.scripts, note: (reason: string) => this.#note("", reason) };
    this.#lines.configure("addresses", [model.fifos.all, model.fifos.vrrp], context);
    this.#step({ type: "configured", subjects });
  }

  request(request: NotifyRequest): void {
    this.#step({ type: "notify-requested", request });
  }

  /** The node ends, and nobody comes after us. */
  finish(finished: () => void): void {
    this.#finished = finished;
    if (this.#queue.idle) finished();
  }

  /**
   * Ends what runs; the vrrp role will tell it again to whoever comes after us. When the node ends the end of
   * each instance is told now instead, and its script lives on by itself, as with keepalived.
   */
  close(): void {
    this.#closed = true;
    this.#agenda.delete(this);
    this.#mails.close();
    for (const script of this.#running.values()) script.kill("SIGKILL");
    if (this.#finished === undefined) return;
    for (const command of this.#queue.lastWords) {
      const problem = checkScript(command, this.#security);
      if (problem?.kind === "unsafe" && this.#security.enforce) continue;
      runScript(command, this.#security, () => {});
    }
  }

  #step(input: NotifyInput): void {
    // What follows a script that was killed just now is no more ours to start.
    if (this.#closed) return;
    for (const action of this.#queue.step(monotonicMs(), input)) this.#perform(action);
    this.#agenda.settle();
    if (this.#queue.idle) this.#finished?.();
  }

  #perform(action: NotifyAction): void {
    switch (action.type) {
      case "run-script":
        this.#run(action.lane, action.command);
        break;
      case "kill-script-group":
        this.#running.get(action.lane)?.kill(action.signal);
        break;
      case "write-fifo":
        this.#lines.write("addresses", fifoLine(action.request));
        break;
      case "send-mail":
        this.#mails.send(action.request);
        break;
      case "acknowledge":
        this.#link.send({ type: "notified", seq: action.seq });
        break;
      case "note":
        this.#note(action.instance, action.reason);
    }
  }

  #run(lane: string, command: NotifyCommand): void {
    const problem = checkScript(command, this.#security);
    if (problem?.kind === "unsafe" && this.#security.enforce) {
      const end = { kind: "not-started", reason: problem.reason } as const;
      setImmediate(() => this.#step({ type: "script-ended", lane, end, output: "" }));
      return;
    }
    const running = runScript(command, this.#security, ({ end, output }) => {
      // Kept for a moment longer: the queue may still want to end what the script left behind.
      this.#step({ type: "script-ended", lane, end, output });
      if (this.#running.get(lane) === running) this.#running.delete(lane);
    });
    this.#running.set(lane, running);
  }

  #note(instance: string, reason: string): void {
    this.#link.tell({ instance, kind: "note", level: "warning", reason });
  }
}
