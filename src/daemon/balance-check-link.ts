/** A line to the check role: targets go there (control), verdicts come (control and workers). */

import type { ServiceModel } from "../config/service/service-model.ts";
import type { CheckVerdict, Suspended } from "../core/check/check-settings.ts";
import type { FromCheckRole, ToCheckRole } from "./balance-protocol.ts";
import { connectLines, type LineConnection } from "./line-connection.ts";

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 500;

export interface CheckRoleListener {
  verdicts(verdicts: readonly CheckVerdict[]): void;
  /** What was heard of these holds no more. */
  unknown?(subjects: readonly string[]): void;
  /** For a check role that is new. */
  known?(): readonly CheckVerdict[];
  note?(subject: string, reason: string): void;
  /** All that nobody asks now, and why. */
  suspended?(servers: readonly Suspended[]): void;
}

/** What the check process is to do for the balancer. */
export type AskedChecks = Omit<Extract<ToCheckRole, { type: "configure-checks" }>, "type">;

/** Whom to tell of servers, and how. */
export function noticeRules({
  notices,
  balance,
  vrrp,
}: ServiceModel): Omit<AskedChecks, "targets"> {
  const mail = { mail: vrrp.mail, vrrp: { routerId: vrrp.vrrp.routerId } };
  const pools = balance.pools.map(({ name }) => name);
  return { scripts: vrrp.scripts, notices, pools, fifos: vrrp.fifos, mail };
}

export class CheckRoleLink {
  readonly #path: string;
  readonly #role: "control" | "balance";
  readonly #listener: CheckRoleListener;
  #endTold = Promise.withResolvers<void>();
  #connection: LineConnection<ToCheckRole> | undefined;
  #asked: Extract<ToCheckRole, { type: "configure-checks" }> | undefined;
  /** The last of these to which the check role has said anything: verdicts that are known are of that. */
  #heard: Extract<ToCheckRole, { type: "configure-checks" }> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #isClosed = false;

  constructor(path: string, role: "control" | "balance", listener: CheckRoleListener) {
    this.#path = path;
    this.#role = role;
    this.#listener = listener;
  }

  /** Connects, and again whenever the check role was replaced. While it is gone, verdicts stand. */
  async connect(): Promise<void> {
    try {
      const connection = await connectLines<FromCheckRole, ToCheckRole>(this.#path, {
        message: (message) => this.#hear(message),
        closed: () => this.#lost(),
      });
      if (this.#isClosed) return connection.close();
      this.#connection = connection;
      this.#retryMs = FIRST_RETRY_MS;
      const known = this.#listener.known?.() ?? [];
      const isOld = this.#heard !== undefined && this.#heard !== this.#asked;
      const asked = isOld ? { asked: this.#heard!.targets } : {};
      const told = this.#heard?.notices.map(({ pool }) => pool) ?? [];
      const hello = { type: "hello", role: this.#role, pid: process.pid } as const;
      connection.send({ ...hello, known, told, ...asked });
      this.#sendTargets();
    } catch {
      this.#lost();
    }
  }

  /** Kept, and said again to a check role that is new. */
  configure(asked: AskedChecks): void {
    this.#asked = { type: "configure-checks", ...asked };
    this.#sendTargets();
  }

  /** Resolves when the scripts of the end have run, or nobody is there to run them. */
  async tellEnd(withinMs: number): Promise<void> {
    if (this.#connection?.send({ type: "tell-end" }) !== true) return;
    const patience = setTimeout(() => this.#endTold.resolve(), withinMs);
    await this.#endTold.promise;
    clearTimeout(patience);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#connection?.close();
  }

  #hear(message: FromCheckRole): void {
    this.#heard = this.#asked;
    if (message.type === "verdicts") this.#listener.verdicts(message.verdicts);
    else if (message.type === "unknown") this.#listener.unknown?.(message.subjects);
    else if (message.type === "note") this.#listener.note?.(message.subject, message.reason);
    else if (message.type === "suspended") this.#listener.suspended?.(message.servers);
    else this.#endTold.resolve();
  }

  #sendTargets(): void {
    if (this.#asked !== undefined) this.#connection?.send(this.#asked);
  }

  #lost(): void {
    this.#connection = undefined;
    this.#endTold.resolve();
    if (this.#isClosed) return;
    this.#endTold = Promise.withResolvers();
    this.#retry = setTimeout(() => void this.connect(), this.#retryMs);
    this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
  }
}
