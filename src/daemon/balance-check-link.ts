/** A line to the check role: targets go there (control), verdicts come (control and workers). */

import type { CheckTarget, CheckVerdict } from "../core/check/check-settings.ts";
import type { ScriptSecurity } from "../config/model.ts";
import type { FromCheckRole, ToCheckRole } from "./balance-protocol.ts";
import { connectLines, type LineConnection } from "./line-connection.ts";

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 500;

export class CheckRoleLink {
  readonly #path: string;
  readonly #role: "control" | "balance";
  readonly #verdicts: (verdicts: readonly CheckVerdict[]) => void;
  #connection: LineConnection<ToCheckRole> | undefined;
  #asked: Extract<ToCheckRole, { type: "configure-checks" }> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #isClosed = false;

  constructor(
    path: string,
    role: "control" | "balance",
    verdicts: (verdicts: readonly CheckVerdict[]) => void,
  ) {
    this.#path = path;
    this.#role = role;
    this.#verdicts = verdicts;
  }

  /** Connects, and again whenever the check role was replaced. While it is gone, verdicts stand. */
  async connect(): Promise<void> {
    try {
      const connection = await connectLines<FromCheckRole, ToCheckRole>(this.#path, {
        message: (message) => this.#verdicts(message.verdicts),
        closed: () => this.#lost(),
      });
      if (this.#isClosed) return connection.close();
      this.#connection = connection;
      this.#retryMs = FIRST_RETRY_MS;
      connection.send({ type: "hello", role: this.#role, pid: process.pid });
      this.#sendTargets();
    } catch {
      this.#lost();
    }
  }

  /** Kept, and said again to a check role that is new. */
  configure(targets: readonly CheckTarget[], scripts: ScriptSecurity): void {
    this.#asked = { type: "configure-checks", targets, scripts };
    this.#sendTargets();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#connection?.close();
  }

  #sendTargets(): void {
    if (this.#asked !== undefined) this.#connection?.send(this.#asked);
  }

  #lost(): void {
    this.#connection = undefined;
    if (this.#isClosed) return;
    this.#retry = setTimeout(() => void this.connect(), this.#retryMs);
    this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
  }
}
