/**
 * Tells of servers and pools: by scripts, in order, one at a time in each lane, by lines of FIFOs, and by mail.
 */

import { describeEnd } from "../core/check/script-track.ts";
import type { NoticeOrder, ScriptOrder } from "../core/check/server-notices.ts";
import type { Mail } from "../core/notify/commands.ts";
import type { FifoLine } from "../core/notify/fifo-queue.ts";
import type { ScriptSecurity } from "../config/model.ts";
import { checkScript } from "../drivers/script-facts.ts";
import { type RunningScript, runScript } from "../drivers/script-runner.ts";

/** As notify scripts of addresses: keepalived sets no limit and waits for ever. */
const DEADLINE_MS = 60_000;
/** A lane whose scripts hang forgets what is more. */
const MAX_WAITING = 64;
const LOOK_MS = 20;

export class NoticeDesk {
  readonly #note: (lane: string, reason: string) => void;
  readonly #write: (line: FifoLine) => void;
  readonly #send: (mail: Mail) => void;
  readonly #waiting = new Map<string, ScriptOrder[]>();
  #security: ScriptSecurity = { enforce: true };

  constructor(
    note: (lane: string, reason: string) => void,
    write: (line: FifoLine) => void,
    send: (mail: Mail) => void,
  ) {
    this.#send = send;
    this.#note = note;
    this.#write = write;
  }

  set security(security: ScriptSecurity) {
    this.#security = security;
  }

  run(orders: readonly NoticeOrder[]): void {
    for (const order of orders) {
      if ("mail" in order) {
        this.#send(order.mail);
        continue;
      }
      if ("line" in order) {
        this.#write(order);
        continue;
      }
      const lane = this.#waiting.get(order.lane);
      if (lane === undefined) {
        this.#waiting.set(order.lane, [order]);
        this.#next(order.lane);
      } else if (lane.length < MAX_WAITING) lane.push(order);
      else this.#note(order.lane, `${order.command.argv[0]} is not run: too many wait already`);
    }
  }

  /** Resolves when nothing waits or runs, or after `withinMs`. */
  async finish(withinMs: number): Promise<void> {
    for (let waited = 0; this.#waiting.size > 0 && waited < withinMs; waited += LOOK_MS) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  #next(lane: string): void {
    const order = this.#waiting.get(lane)?.[0];
    if (order === undefined) {
      this.#waiting.delete(lane);
      return;
    }
    const { command } = order;
    const [script = ""] = command.argv;
    const problem = checkScript(command, this.#security);
    if (problem?.kind === "unsafe" && this.#security.enforce) {
      this.#note(lane, `${script} is not run: ${problem.reason}`);
      return this.#over(lane);
    }
    const running: RunningScript = runScript(command, this.#security, ({ end }) => {
      clearTimeout(deadline);
      if (end.kind === "not-started") this.#note(lane, `${script} is not run: ${end.reason}`);
      else if (end.kind !== "exited" || end.code !== 0) {
        this.#note(lane, `${script} ${describeEnd(end)}`);
      }
      this.#over(lane);
    });
    const deadline = setTimeout(() => running.kill("SIGKILL"), DEADLINE_MS);
  }

  #over(lane: string): void {
    this.#waiting.get(lane)?.shift();
    setImmediate(() => this.#next(lane));
  }
}
