/**
 * Whom to tell when a server goes down or comes back, or when a pool has less weight than it needs:
 * keepalived's `notify_up`, `notify_down`, `quorum_up`, `quorum_down`, `smtp_alert`, and the lines of its
 * FIFOs. What is told follows the checks
 * alone, in one process, so that it is told once however many workers there are.
 *
 * Source: keepalived.conf(5), LVS CONFIGURATION. As there, servers count as up until a check says
 * otherwise (unless they start down: then the first check that fails is told, too), and the quorum counts as
 * lost until it is counted first, which is told where another server steps in for it. What a reload removes goes down.
 */

import type { CheckVerdict } from "./check-settings.ts";
import type { Mail } from "../notify/commands.ts";
import type { FifoLine } from "../notify/fifo-queue.ts";
import type { NotifyCommand } from "../vrrp/settings.ts";

export interface ServerNotice {
  readonly server: string;
  readonly weight: number;
  /** It counts as down until its first good check (`alpha`). */
  readonly startsDown: boolean;
  /** As FIFOs call it: `[192.0.2.1]:tcp:80`. */
  readonly fifoName?: string;
  readonly up?: NotifyCommand;
  readonly down?: NotifyCommand;
  /** Mail tells of it, under this name: `[10.0.0.1]:tcp:80`. */
  readonly mail?: string;
}

export interface PoolNotices {
  readonly pool: string;
  /** As FIFOs call it; absent: they are not told. */
  readonly fifoName?: string;
  readonly servers: readonly ServerNotice[];
  /** `rs_init_notifies`: servers that count as up from the start are told of, too. */
  readonly tellsStart?: true;
  /** Another server serves while there is no quorum. */
  readonly hasSorry?: true;
  readonly quorum: {
    readonly weight: number;
    readonly hysteresis: number;
    readonly up?: NotifyCommand;
    readonly down?: NotifyCommand;
    readonly mail?: true;
  };
  /** Where mail tells of it or its servers. `eachCheck`: of each check, too, where a server has several. */
  readonly mails?: { readonly name: string; readonly eachCheck: boolean };
  /** The end of the node is told like the loss of all servers (`omega`). */
  readonly atEnd: boolean;
}

export interface ScriptOrder {
  /** Scripts of one lane run in order, one at a time. */
  readonly lane: string;
  readonly command: NotifyCommand;
}

/** Whoever sends it puts `[router_id]` in front. */
export interface MailOrder {
  readonly mail: Mail;
}

/** A script to run, a line for the FIFOs, or a mail. */
export type NoticeOrder = ScriptOrder | FifoLine | MailOrder;

export class ServerNotices {
  #pools: readonly PoolNotices[] = [];
  readonly #isUp = new Map<string, boolean>();
  readonly #hasQuorum = new Map<string, boolean>();
  /** By subject, of each check. Of servers that an earlier process knew only what was said since. */
  readonly #checks = new Map<string, Map<string, boolean>>();
  readonly #inherited = new Set<string>();
  /** An earlier process has told of these pools, of which no check may ever say anything. */
  readonly #toldPools = new Set<string>();
  /** They start down, and no check has said that they are. */
  readonly #unjudged = new Set<string>();

  /** What an earlier process has told already. Before `configure`. */
  remember(subject: string, up: boolean): void {
    this.#isUp.set(subject, up);
    this.#inherited.add(subject);
  }

  /** The same of pools. */
  rememberPools(names: readonly string[]): void {
    for (const name of names) this.#toldPools.add(name);
  }

  /** `existing`: names of all pools that there are; one of which nobody wants to hear any more is not gone. */
  configure(pools: readonly PoolNotices[], existing: readonly string[] = []): NoticeOrder[] {
    const there = new Set([...pools.map(({ pool }) => pool), ...existing]);
    const removed = this.#pools.flatMap((pool) => this.#remove(pool, pools, there));
    this.#pools = pools;
    const subjects = new Set(pools.flatMap((one) => one.servers.map((s) => subjectOf(one, s))));
    for (const known of [this.#isUp, this.#checks, this.#inherited, this.#unjudged]) {
      for (const subject of known.keys()) if (!subjects.has(subject)) known.delete(subject);
    }
    const names = new Set(pools.map((one) => one.pool));
    for (const name of this.#hasQuorum.keys()) if (!names.has(name)) this.#hasQuorum.delete(name);
    const counted = pools.filter((pool) => {
      const isKnown = pool.servers.some((server) => this.#isUp.has(subjectOf(pool, server)));
      return (isKnown || this.#toldPools.has(pool.pool)) && !this.#hasQuorum.has(pool.pool);
    });
    const started = new Map(pools.map((pool) => [pool, this.#start(pool)]));
    this.#toldPools.clear();
    // An earlier process has told these.
    for (const pool of counted) this.#count(pool);
    const now = pools.flatMap((pool) => [...started.get(pool)!, ...this.#count(pool)]);
    return [...removed, ...now];
  }

  /** Its servers that nothing is known of yet. */
  #start(pool: PoolNotices): NoticeOrder[] {
    const wasTold = this.#toldPools.has(pool.pool);
    return pool.servers.flatMap((server) => {
      const subject = subjectOf(pool, server);
      if (this.#isUp.has(subject)) return [];
      this.#isUp.set(subject, !server.startsDown);
      if (server.startsDown) this.#unjudged.add(subject);
      const isSilent = pool.tellsStart !== true || wasTold || server.startsDown;
      return isSilent ? [] : serverOrders(pool, server, true);
    });
  }

  /** What a check has found; most of what it finds is known. */
  heard(subject: string, up: boolean, reason: string): NoticeOrder[] {
    if ((this.#isUp.get(subject) ?? up) === up) return [];
    this.#isUp.set(subject, up);
    this.#unjudged.delete(subject);
    return this.#pools.flatMap((pool) => {
      const server = pool.servers.find((one) => subjectOf(pool, one) === subject);
      if (server === undefined) return [];
      return [
        ...serverOrders(pool, server, up),
        ...serverMail(pool, { server, up }, checkText(up, reason)),
        ...this.#count(pool),
      ];
    });
  }

  /** What one check of a server says, after what that makes of the server (`heard`). */
  heardCheck(
    check: string,
    { subject, up, reason }: CheckVerdict,
    changedServer: boolean,
  ): NoticeOrder[] {
    if (this.#checks.get(subject)?.get(check) === up) return [];
    const found = this.#find(subject);
    if (found === undefined) return [];
    const { pool, server } = found;
    const checks = this.#checks.get(subject) ?? new Map<string, boolean>();
    this.#checks.set(subject, checks);
    const first = this.#inherited.has(subject) ? up : !server.startsDown;
    const before = checks.get(check) ?? first;
    checks.set(check, up);
    if (!up && this.#unjudged.delete(subject)) return serverOrders(pool, server, false);
    if (before === up || changedServer || pool.mails?.eachCheck !== true) return [];
    const state = { server, up: this.#isUp.get(subject) === true };
    return serverMail(pool, state, checkText(up, reason));
  }

  #find(subject: string): { pool: PoolNotices; server: ServerNotice } | undefined {
    for (const pool of this.#pools) {
      const server = pool.servers.find((one) => subjectOf(pool, one) === subject);
      if (server !== undefined) return { pool, server };
    }
    return undefined;
  }

  /** What of a pool is not there any more; the quorum of one that stays is counted with those that it has then. */
  #remove(
    pool: PoolNotices,
    pools: readonly PoolNotices[],
    there: ReadonlySet<string>,
  ): NoticeOrder[] {
    const after = pools.find((one) => one.pool === pool.pool);
    if (after === undefined && there.has(pool.pool)) return [];
    const gone = pool.servers.filter((server) => {
      return after?.servers.some((other) => isSame(server, other)) !== true;
    });
    const orders = gone.flatMap((server) => this.#takeOut(pool, server, "Removing"));
    for (const server of gone) this.#isUp.delete(subjectOf(pool, server));
    return after === undefined ? [...orders, ...this.#count(pool)] : orders;
  }

  #takeOut(pool: PoolNotices, server: ServerNotice, why: string): NoticeOrder[] {
    if (this.#isUp.get(subjectOf(pool, server)) !== true) return [];
    const mails = serverMail(pool, { server, up: false }, why);
    return [...serverOrders(pool, server, false), ...mails];
  }

  /** The node ends for good. What checks find of these pools while the last requests end is told no more. */
  end(): NoticeOrder[] {
    const ended = this.#pools.filter(({ atEnd }) => atEnd);
    this.#pools = this.#pools.filter(({ atEnd }) => !atEnd);
    return ended.flatMap((pool) => [
      ...pool.servers.flatMap((server) => this.#takeOut(pool, server, SHUTTING_DOWN)),
      ...(this.#hasQuorum.get(pool.pool) === true
        ? [...quorumOrders(pool, false), ...quorumMail(pool, false, SHUTTING_DOWN)]
        : []),
    ]);
  }

  #count(pool: PoolNotices): NoticeOrder[] {
    const { weight, hysteresis } = pool.quorum;
    const known = this.#hasQuorum.get(pool.pool);
    const before = known ?? false;
    const sum = pool.servers.reduce((all, server) => {
      return all + (this.#isUp.get(subjectOf(pool, server)) === true ? server.weight : 0);
    }, 0);
    const threshold = weight + (before ? -hysteresis : hysteresis);
    const hasQuorum = sum > 0 && sum >= threshold;
    this.#hasQuorum.set(pool.pool, hasQuorum);
    const startsWithSorry = known === undefined && pool.hasSorry === true;
    if (hasQuorum === before && !startsWithSorry) return [];
    const counted = `${weight}${before ? "-" : "+"}${hysteresis}=${threshold}`;
    const change = hasQuorum ? "Gained quorum" : "Lost quorum";
    const start = `Starting with quorum ${hasQuorum ? "up" : "down"}`;
    const compared = `${counted} ${hasQuorum ? "<=" : ">"} ${sum}`;
    const why = `${known === undefined ? start : change} ${compared}`;
    return [...quorumOrders(pool, hasQuorum), ...quorumMail(pool, hasQuorum, why)];
  }
}

/** The same address, where it is told of: a server that has moved is another one. */
function isSame(server: ServerNotice, other: ServerNotice): boolean {
  const hasMoved = [
    [server.fifoName, other.fifoName],
    [server.mail, other.mail],
  ].some(([one, two]) => one !== undefined && two !== undefined && one !== two);
  return server.server === other.server && !hasMoved;
}

function subjectOf({ pool }: PoolNotices, { server }: ServerNotice): string {
  return `${pool}/${server}`;
}

function serverOrders(pool: PoolNotices, server: ServerNotice, up: boolean): NoticeOrder[] {
  const { fifoName } = server;
  const names = pool.fifoName && fifoName && `RS ${fifoName} ${pool.fifoName}`;
  return orders(subjectOf(pool, server), up ? server.up : server.down, lineOf(names, up));
}

function quorumOrders({ pool, fifoName, quorum }: PoolNotices, up: boolean): NoticeOrder[] {
  const names = fifoName && `VS ${fifoName}`;
  return orders(pool, up ? quorum.up : quorum.down, lineOf(names, up));
}

function lineOf(subject: string | undefined, up: boolean): readonly FifoLine[] {
  return subject === undefined ? [] : [{ subject, line: `${subject} ${up ? "UP" : "DOWN"}\n` }];
}

function orders(
  lane: string,
  command: NotifyCommand | undefined,
  lines: readonly FifoLine[],
): NoticeOrder[] {
  return command === undefined ? [...lines] : [{ lane, command }, ...lines];
}

const SHUTTING_DOWN = "Shutting down";

/** Subjects and texts are keepalived's: operators filter by them. */
function serverMail(
  { mails }: PoolNotices,
  { server, up }: { readonly server: ServerNotice; readonly up: boolean },
  why: string,
): MailOrder[] {
  if (mails === undefined || server.mail === undefined) return [];
  const subject = `Realserver ${server.mail} of virtual server ${mails.name} - ${stateText(up)}`;
  return [{ mail: { subject, text: `=> ${why} <=\n` } }];
}

function quorumMail({ mails, quorum }: PoolNotices, up: boolean, why: string): MailOrder[] {
  if (mails === undefined || quorum.mail !== true) return [];
  const subject = `Virtualserver ${mails.name} - ${stateText(up)}`;
  return [{ mail: { subject, text: `=> ${why} <=\n` } }];
}

function stateText(up: boolean): string {
  return up ? "UP" : "DOWN";
}

function checkText(up: boolean, reason: string): string {
  // A reason begins with what the text says already.
  const why = reason.replace(/^check failed: /u, "");
  return up ? "CHECK succeed on service" : `CHECK failed on service : ${why}`;
}
