/**
 * Whom to tell when a server goes down or comes back, or when a pool has less weight than it needs:
 * keepalived's `notify_up`, `notify_down`, `quorum_up`, `quorum_down`, and the lines of its FIFOs. What is told follows the checks
 * alone, in one process, so that it is told once however many workers there are.
 *
 * Source: keepalived.conf(5), LVS CONFIGURATION. As there, servers count as up until a check says
 * otherwise (unless they start down), and the quorum counts as lost until it is counted first.
 */

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
}

export interface PoolNotices {
  readonly pool: string;
  /** As FIFOs call it; absent: they are not told. */
  readonly fifoName?: string;
  readonly servers: readonly ServerNotice[];
  readonly quorum: {
    readonly weight: number;
    readonly hysteresis: number;
    readonly up?: NotifyCommand;
    readonly down?: NotifyCommand;
  };
  /** The end of the node is told like the loss of all servers (`omega`). */
  readonly atEnd: boolean;
}

export interface ScriptOrder {
  /** Scripts of one lane run in order, one at a time. */
  readonly lane: string;
  readonly command: NotifyCommand;
}

/** A script to run, or a line for the FIFOs. */
export type NoticeOrder = ScriptOrder | FifoLine;

export class ServerNotices {
  #pools: readonly PoolNotices[] = [];
  readonly #isUp = new Map<string, boolean>();
  readonly #hasQuorum = new Map<string, boolean>();

  /** What an earlier process has told already. Before `configure`. */
  remember(subject: string, up: boolean): void {
    this.#isUp.set(subject, up);
  }

  configure(pools: readonly PoolNotices[]): NoticeOrder[] {
    this.#pools = pools;
    const subjects = new Set(pools.flatMap((one) => one.servers.map((s) => subjectOf(one, s))));
    for (const subject of this.#isUp.keys()) if (!subjects.has(subject)) this.#isUp.delete(subject);
    const names = new Set(pools.map((one) => one.pool));
    for (const name of this.#hasQuorum.keys()) if (!names.has(name)) this.#hasQuorum.delete(name);
    const counted = pools.filter((pool) => {
      const isKnown = pool.servers.some((server) => this.#isUp.has(subjectOf(pool, server)));
      return isKnown && !this.#hasQuorum.has(pool.pool);
    });
    for (const pool of pools) {
      for (const server of pool.servers) {
        const subject = subjectOf(pool, server);
        if (!this.#isUp.has(subject)) this.#isUp.set(subject, !server.startsDown);
      }
    }
    // An earlier process has told these.
    for (const pool of counted) this.#count(pool);
    return pools.flatMap((pool) => this.#count(pool));
  }

  /** What a check has found; most of what it finds is known. */
  heard(subject: string, up: boolean): NoticeOrder[] {
    if ((this.#isUp.get(subject) ?? up) === up) return [];
    this.#isUp.set(subject, up);
    return this.#pools.flatMap((pool) => {
      const server = pool.servers.find((one) => subjectOf(pool, one) === subject);
      if (server === undefined) return [];
      return [...serverOrders(pool, server, up), ...this.#count(pool)];
    });
  }

  /** The node ends for good. */
  end(): NoticeOrder[] {
    return this.#pools
      .filter(({ atEnd }) => atEnd)
      .flatMap((pool) => [
        ...pool.servers.flatMap((server) => {
          const subject = subjectOf(pool, server);
          return this.#isUp.get(subject) === true ? serverOrders(pool, server, false) : [];
        }),
        ...(this.#hasQuorum.get(pool.pool) === true ? quorumOrders(pool, false) : []),
      ]);
  }

  #count(pool: PoolNotices): NoticeOrder[] {
    const { weight, hysteresis } = pool.quorum;
    const before = this.#hasQuorum.get(pool.pool) ?? false;
    const sum = pool.servers.reduce((all, server) => {
      return all + (this.#isUp.get(subjectOf(pool, server)) === true ? server.weight : 0);
    }, 0);
    const hasQuorum = sum > 0 && sum >= weight + (before ? -hysteresis : hysteresis);
    this.#hasQuorum.set(pool.pool, hasQuorum);
    return hasQuorum === before ? [] : quorumOrders(pool, hasQuorum);
  }
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
