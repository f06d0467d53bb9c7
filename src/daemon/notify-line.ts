/** One notification FIFO at work: its queue, the file, and the script that reads it. */

import { setTimeout as sleep } from "node:timers/promises";
import { FifoQueue, type FifoInput, type FifoLine } from "../core/notify/fifo-queue.ts";
import { KeepRunning, type HelperInput } from "../core/notify/keep-running.ts";
import type { NotifyCommand } from "../core/vrrp/settings.ts";
import type { Fifo } from "../config/model.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { NotifyFifo, type NotifyFifoTarget } from "../drivers/notify-fifo.ts";
import { runScript, type RunningScript, type ScriptDefaults } from "../drivers/script-runner.ts";
import type { Agenda, Sleeper } from "./agenda.ts";

/** How often a FIFO that could not be opened is tried again, ms. */
const REOPEN_MS = 5000;
/** What a reader gets for the lines that are left, and again after a SIGTERM, ms. */
const READ_ON_MS = 1000;

export interface NotifyLineContext {
  readonly agenda: Agenda;
  readonly defaults: ScriptDefaults;
  /** Tells the operator. */
  readonly note: (reason: string) => void;
}

export class NotifyLine implements Sleeper {
  readonly #target: NotifyFifoTarget;
  readonly #context: NotifyLineContext;
  readonly #queue = new FifoQueue();
  readonly #reader: FifoReader | undefined;
  #fifo: NotifyFifo | string = "";
  #triedMs = -Infinity;

  constructor(target: NotifyFifoTarget, script: Fifo["script"], context: NotifyLineContext) {
    this.#target = target;
    this.#context = context;
    this.#open();
    context.agenda.add(this);
    if (script === undefined) return;
    const command = { ...script, argv: [...script.argv, target.path] };
    this.#reader = new FifoReader(command, context);
  }

  get deadline(): number {
    return this.#queue.deadline;
  }

  wake(): void {
    this.#step({ type: "woken" });
  }

  write(line: FifoLine): void {
    const dropped = this.#queue.dropped;
    this.#step({ type: "line-queued", line });
    if (dropped === 0 && this.#queue.dropped > 0) {
      this.#context.note(`FIFO ${this.#target.path}: nobody reads, outdated lines are dropped`);
    }
  }

  /**
   * Resolves when the script that reads has read what was written, or was ended. `isPassedOn`: another process
   * writes to the same file by now, and has a reader of its own.
   */
  async close(isPassedOn = false): Promise<void> {
    this.#context.agenda.delete(this);
    // Nobody writes any more: the reader comes to the end.
    if (typeof this.#fifo !== "string") this.#fifo.close(!isPassedOn);
    if (isPassedOn) this.#reader?.end();
    await this.#reader?.close();
  }

  /** Another line follows. In a FIFO that stays, the reader would find that one's words. */
  replace(): void {
    if (typeof this.#fifo !== "string" && !this.#fifo.isOurs) this.#reader?.end();
    void this.close();
  }

  #step(input: FifoInput): void {
    const now = monotonicMs();
    let actions = this.#queue.step(now, input);
    // Every written line yields at most the next one, so this ends with the queue.
    for (let action = actions[0]; action !== undefined; action = actions[0]) {
      const outcome = this.#write(now, action.line);
      actions = this.#queue.step(now, { type: "write-ended", outcome });
    }
    this.#context.agenda.settle();
  }

  #write(now: number, line: string): "written" | "full" | "failed" {
    if (typeof this.#fifo === "string" && now - this.#triedMs >= REOPEN_MS) this.#open();
    return typeof this.#fifo === "string" ? "failed" : this.#fifo.write(line);
  }

  #open(): void {
    const before = this.#fifo;
    this.#triedMs = monotonicMs();
    this.#fifo = NotifyFifo.open(this.#target);
    if (typeof this.#fifo === "string" && this.#fifo !== before) this.#context.note(this.#fifo);
  }
}

/** `notify_fifo_script`: runs as long as we do, and is started again when it ends. */
class FifoReader implements Sleeper {
  readonly #command: NotifyCommand;
  readonly #context: NotifyLineContext;
  readonly #keeper: KeepRunning;
  #running: RunningScript | undefined;
  #ended: PromiseWithResolvers<void> | undefined;
  #closed = false;

  constructor(command: NotifyCommand, context: NotifyLineContext) {
    this.#command = command;
    this.#context = context;
    this.#keeper = new KeepRunning(`FIFO script ${command.argv[0]}`, monotonicMs());
    context.agenda.add(this);
  }

  get deadline(): number {
    return this.#keeper.deadline;
  }

  wake(): void {
    this.#step({ type: "woken" });
  }

  end(): void {
    this.#closed = true;
    this.#running?.kill("SIGTERM");
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#context.agenda.delete(this);
    const running = this.#running;
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await Promise.race([this.#ended?.promise, sleep(READ_ON_MS, undefined, { ref: false })]);
      if (this.#running === undefined) return;
      running?.kill(signal);
    }
  }

  #step(input: HelperInput): void {
    for (const action of this.#keeper.step(monotonicMs(), input)) {
      if (action.type === "note") this.#context.note(action.reason);
      else this.#start();
    }
    this.#context.agenda.settle();
  }

  #start(): void {
    const ended = Promise.withResolvers<void>();
    this.#ended = ended;
    this.#running = runScript(this.#command, this.#context.defaults, ({ end, output }) => {
      this.#running = undefined;
      ended.resolve();
      if (!this.#closed) this.#step({ type: "script-ended", end, output });
    });
  }
}
