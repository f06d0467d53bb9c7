/** Carries out notifications: scripts, FIFO lines, mails, and the acknowledgement at the end. */

import type { NotifyRequest, NotifySubject } from "../core/notify/commands.ts";
import { NotifyQueue, type NotifyAction, type NotifyInput } from "../core/notify/queue.ts";
import type { NotifyCommand } from "../core/vrrp/settings.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { checkScript } from "../drivers/script-facts.ts";
import { runScript, type RunningScript } from "../drivers/script-runner.ts";
import type { Agenda, Sleeper } from "./agenda.ts";
import type { CheckLink } from "./check-role-link.ts";
import { NotifyLine } from "./notify-line.ts";
import type { MailAlerts } from "./notify-mail.ts";
import type { RoleModel } from "./role-protocol.ts";

export class NotifyDesk implements Sleeper {
  readonly #link: CheckLink;
  readonly #agenda: Agenda;
  readonly #queue = new NotifyQueue();
  readonly #running = new Map<string, RunningScript>();
  readonly #mails: MailAlerts;
  #lines = new Map<string, NotifyLine>();
  #security: RoleModel["scripts"] = { enforce: true };
  /** Called whenever nothing waits and nothing runs. */
  onIdle: () => void = () => {};

  constructor(link: CheckLink, agenda: Agenda, mails: MailAlerts) {
    this.#link = link;
    this.#agenda = agenda;
    this.#mails = mails;
    agenda.add(this);
  }

  get deadline(): number {
    return this.#queue.deadline;
  }

  get idle(): boolean {
    return this.#queue.idle;
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
    this.#configureLines(model);
    this.#step({ type: "configured", subjects });
  }

  request(request: NotifyRequest): void {
    this.#step({ type: "notify-requested", request });
  }

  /** Ends what runs; the vrrp role will tell it again to whoever comes after us. What a FIFO took
   *  it does not tell again: resolves when that is read. */
  async close(): Promise<void> {
    this.#agenda.delete(this);
    this.#mails.close();
    for (const script of this.#running.values()) script.kill("SIGKILL");
    await Promise.all([...this.#lines.values()].map((line) => line.close()));
  }

  #configureLines(model: RoleModel): void {
    const kept = new Map<string, NotifyLine>();
    const wanted = [model.fifos.all, model.fifos.vrrp].flatMap(({ target, script }) => {
      return target === undefined ? [] : [{ target, script }];
    });
    const keys = wanted.map((fifo) => JSON.stringify([fifo, model.scripts]));
    for (const [key, line] of this.#lines) {
      if (keys.includes(key)) kept.set(key, line);
      else line.replace();
    }
    for (const [index, { target, script }] of wanted.entries()) {
      const key = keys[index]!;
      if (kept.has(key)) continue;
      const note = (reason: string): void => this.#note("", reason);
      const context = { agenda: this.#agenda, defaults: model.scripts, note };
      kept.set(key, new NotifyLine(target, script, context));
    }
    this.#lines = kept;
  }

  #step(input: NotifyInput): void {
    for (const action of this.#queue.step(monotonicMs(), input)) this.#perform(action);
    this.#agenda.settle();
    if (this.#queue.idle) this.onIdle();
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
        for (const line of this.#lines.values()) line.write(action.request);
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
    this.#link.tell({ instance, kind: "note", reason });
  }
}
