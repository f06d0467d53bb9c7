/**
 * The console process, when it is wanted. Nothing waits for it: it is started a little after the
 * processes that carry addresses and requests, and stopped after them. One that hangs is replaced.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { RoleProcessStatus } from "./control-api.ts";
import { signalProcess } from "./role-spawn.ts";
import type { RoleSupervision } from "./role-supervision.ts";

const START_AFTER_MS = 250;
/** For the last records; then it is killed. */
const LAST_WORDS_MS = 2_000;
const LOOK_MS = 2_000;
/**
 * So many looks in a row without a sign of life: half a minute, because a ledger of a year that is
 * read again takes a while on a busy machine. Looks are counted and not time: who was stopped as a
 * whole (a frozen container, a machine that slept) looks once and then sees it live.
 */
const HUNG_LOOKS = 15;

/** Does it again and again; the answer ends that. */
type Repeat = (work: () => void, everyMs: number) => () => void;

const byTimer: Repeat = (work, everyMs) => {
  const timer = setInterval(work, everyMs);
  timer.unref();
  return () => clearInterval(timer);
};

export class ConsoleKeeper {
  readonly #supervision: RoleSupervision;
  readonly #repeat: Repeat;
  #isWanted: boolean | undefined;
  #running: Promise<void> | undefined;
  #stopLooking: (() => void) | undefined;
  #shown: string | undefined;
  #looks = 0;
  /** One start or stop at a time. */
  #turn: Promise<void> = Promise.resolve();

  constructor(supervision: RoleSupervision, repeat: Repeat = byTimer) {
    this.#supervision = supervision;
    this.#repeat = repeat;
  }

  get roles(): readonly RoleProcessStatus[] {
    return this.#isWanted === true ? [this.#supervision.status] : [];
  }

  want(isWanted: boolean): void {
    if (this.#isWanted === isWanted) return;
    this.#isWanted = isWanted;
    this.#turn = this.#turn.then(() => (isWanted ? this.#start() : this.#end()));
  }

  /** For good. */
  stop(): Promise<void> {
    this.want(false);
    return this.#turn;
  }

  async #start(): Promise<void> {
    const living = (): number | undefined => this.#supervision.recorded;
    if (living() === undefined) await sleep(START_AFTER_MS);
    if (this.#isWanted !== true) return;
    this.#running = this.#supervision.run(living, living() === undefined);
    this.#stopLooking = this.#repeat(() => this.#look(), LOOK_MS);
  }

  async #end(): Promise<void> {
    this.#stopLooking?.();
    const stranger = this.#running === undefined ? this.#supervision.recorded : undefined;
    if (stranger !== undefined) signalProcess(stranger, "SIGTERM");
    await this.#supervision.stop(0, LAST_WORDS_MS);
    await this.#running;
    this.#running = undefined;
  }

  #look(): void {
    const { status, shownMs } = this.#supervision;
    // Also a new process begins anew.
    const shown = `${status.state} ${status.pid} ${shownMs}`;
    this.#looks = shown === this.#shown ? this.#looks + 1 : 0;
    this.#shown = shown;
    if (status.state !== "running" || this.#looks < HUNG_LOOKS) return;
    this.#looks = 0;
    const silentMs = HUNG_LOOKS * LOOK_MS;
    this.#supervision.replaceHung(`it has shown no sign of life for ${silentMs} ms`);
  }
}
