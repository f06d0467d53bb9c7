/**
 * The console process, when it is wanted. Nothing waits for it: it is started a little after the
 * processes that carry addresses and requests, and stopped after them.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { RoleProcessStatus } from "./control-api.ts";
import { signalProcess } from "./role-spawn.ts";
import type { RoleSupervision } from "./role-supervision.ts";

const START_AFTER_MS = 250;
/** For the last records; then it is killed. */
const LAST_WORDS_MS = 2_000;

export class ConsoleKeeper {
  readonly #supervision: RoleSupervision;
  #isWanted: boolean | undefined;
  #running: Promise<void> | undefined;
  /** One start or stop at a time. */
  #turn: Promise<void> = Promise.resolve();

  constructor(supervision: RoleSupervision) {
    this.#supervision = supervision;
  }

  get roles(): readonly RoleProcessStatus[] {
    return this.#isWanted === true ? [this.#supervision.status] : [];
  }

  want(isWanted: boolean): void {
    if (this.#isWanted === isWanted) return;
    this.#isWanted = isWanted;
    this.#turn = this.#turn.then(() => (isWanted ? this.#start() : this.#end()));
  }

  /** A fresh process in its place. The answer says why not. */
  renew(): Promise<string | undefined> {
    return this.#supervision.renew();
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
  }

  async #end(): Promise<void> {
    const stranger = this.#running === undefined ? this.#supervision.recorded : undefined;
    if (stranger !== undefined) signalProcess(stranger, "SIGTERM");
    await this.#supervision.stop(0, LAST_WORDS_MS);
    await this.#running;
    this.#running = undefined;
  }
}
