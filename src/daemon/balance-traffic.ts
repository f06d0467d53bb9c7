/**
 * What each worker has counted: of services small enough to be asked for every second, of servers once a
 * minute. Kept apart per worker, because each counts from its own start.
 */

import type { CountingProcess, Counted } from "../core/journal/tally.ts";
import type { Latency } from "../core/journal/measurement.ts";
import type { Engine } from "../core/proxy/engine.ts";
import type { CounterName, Traffic } from "../core/proxy/traffic.ts";
import { monotonicMs } from "../drivers/clock.ts";
import type { Life, WorkerLink } from "./balance-hub.ts";

/** The last numbers of a worker are told that long: several looks, and two at its servers. */
const LAST_NUMBERS_MS = 150_000;
const MAX_ENDED = 64;
/** Numbers of servers that ended workers may leave here; then the oldest ones are forgotten. */
const MAX_ENDED_SERVERS = 20_000;

/** Of `servers`: asked for once a minute, because there may be many. */
export type Counting = "services" | "servers";

/** Servers of one answer: requests are served between two of them. */
const SERVERS_PER_ANSWER = 100;
const MAX_ANSWERS = 100;

/** `after`: the subject of the last server that is known; only of `servers`. */
export function countedBy(engine: Engine, what: Counting = "services", after = ""): Counted[] {
  return what === "servers" ? serversOf(engine, after, SERVERS_PER_ANSWER) : servicesOf(engine);
}

/** A worker's last word. */
export function allCountedBy(engine: Engine): Counted[] {
  return [...servicesOf(engine), ...serversOf(engine, "", Infinity)];
}

function servicesOf(engine: Engine): Counted[] {
  return [
    ...[...engine.frontends].map(({ name, traffic }) => countedOf(`frontend ${name}`, traffic)),
    ...[...engine.dispatchers].map(({ settings, traffic }) =>
      countedOf(`pool ${settings.name}`, traffic),
    ),
  ];
}

/**
 * Answers that a server gave, and what it should have given: a try that failed is its fault alone. By
 * name, so that none is left out when others come or go between two answers.
 */
function serversOf(engine: Engine, after: string, limit: number): Counted[] {
  const all = [...engine.dispatchers].flatMap(({ settings, groups }) =>
    [...groups].map(({ server, traffic }) => {
      return { subject: `server ${settings.name}/${server.name}`, traffic };
    }),
  );
  return all
    .filter(({ subject }) => subject > after)
    .sort((a, b) => (a.subject < b.subject ? -1 : 1))
    .slice(0, limit)
    .map(({ subject, traffic }) => ({
      subject,
      good: traffic.get("success") + traffic.get("redirect") + traffic.get("clientError"),
      bad: SERVER_ERRORS.reduce((sum, name) => sum + traffic.get(name), 0),
      inFlight: traffic.get("inFlight"),
      latency: latencyOf(traffic),
    }));
}

const SERVER_ERRORS: readonly CounterName[] = [
  "serverError",
  "connectErrors",
  "answerErrors",
  "timeouts",
];

function countedOf(subject: string, traffic: Traffic): Counted {
  const [good, bad, inFlight] = [traffic.get("good"), traffic.get("bad"), traffic.get("inFlight")];
  return { subject, good, bad, inFlight, latency: latencyOf(traffic) };
}

function latencyOf({ totalTime }: Traffic): Latency {
  const latency: (readonly [number, number])[] = [];
  const { counts } = totalTime;
  for (let index = 0; index < counts.length; index++) {
    const count = counts[index]!;
    if (count > 0) latency.push([index, count]);
  }
  return latency;
}

/** Workers that live, and those that have said their last word lately. */
export class TrafficDesk {
  readonly #ended: EndedWorker[] = [];
  /** The last answers of those that live. */
  readonly #latest = new Map<string, readonly Counted[]>();

  /** A worker that was drained; `counted` of both kinds. */
  ended({ hello }: WorkerLink, counted: readonly Counted[]): void {
    const servers = counted.filter(isOfServer);
    const services = counted.filter((one) => !isOfServer(one));
    this.#ended.push({ life: lifeOf(hello), atMs: monotonicMs(), services, servers });
    if (this.#ended.length > MAX_ENDED) this.#ended.shift();
    let room = MAX_ENDED_SERVERS;
    for (const one of this.#ended.toReversed()) {
      room -= one.servers.length;
      if (room < 0) one.servers = [];
    }
  }

  /**
   * Of a living worker that does not answer its last numbers: without any it would look as if it had
   * ended, and at the next look as if all that it ever counted were new. Rejects where none are known.
   * `unlinked`: living ones that have no line at the moment, or none yet.
   */
  async look(
    links: readonly WorkerLink[],
    what: Counting,
    unlinked: readonly Life[] = [],
  ): Promise<CountingProcess[]> {
    const fromMs = monotonicMs() - LAST_NUMBERS_MS;
    while ((this.#ended[0]?.atMs ?? Infinity) < fromMs) this.#ended.shift();
    const answers = await Promise.all(
      links.map(async (link): Promise<CountingProcess[]> => {
        const life = lifeOf(link.hello);
        const key = `${what} ${life}`;
        const told = what === "servers" ? serversBy(link) : pageOf(link, what, "");
        const counted = await told.catch((error: unknown) => {
          const last = this.#latest.get(key);
          if (last === undefined) throw error;
          return last;
        });
        this.#latest.set(key, counted);
        return [{ life, isEnded: false, counted }];
      }),
    );
    for (const life of unlinked.map(lifeOf)) {
      const counted = this.#latest.get(`${what} ${life}`);
      if (counted !== undefined) answers.push([{ life, isEnded: false, counted }]);
    }
    const lives = new Set([...links.map(({ hello }) => hello), ...unlinked].map(lifeOf));
    for (const key of this.#latest.keys()) {
      if (!lives.has(key.slice(key.indexOf(" ") + 1))) this.#latest.delete(key);
    }
    const ended = this.#ended.map((one) => ({ life: one.life, isEnded: true, counted: one[what] }));
    const over = new Set(ended.map(({ life }) => life));
    return [...answers.flat().filter(({ life }) => !over.has(life)), ...ended];
  }
}

async function serversBy(link: WorkerLink): Promise<readonly Counted[]> {
  const all: Counted[] = [];
  for (let i = 0; i < MAX_ANSWERS; i++) {
    const page = await pageOf(link, "servers", all.at(-1)?.subject ?? "");
    all.push(...page);
    if (page.length < SERVERS_PER_ANSWER) break;
  }
  return all;
}

async function pageOf(
  link: WorkerLink,
  what: Counting,
  after: string,
): Promise<readonly Counted[]> {
  const { reply, error } = await link.ask({ type: "get-traffic", what, after });
  if (reply?.counted === undefined) throw new Error(error ?? "a worker does not tell its numbers");
  // A worker of an older version knows of services only.
  return reply.counted.filter((one) => isOfServer(one) === (what === "servers"));
}

interface EndedWorker {
  readonly life: string;
  readonly atMs: number;
  readonly services: readonly Counted[];
  servers: readonly Counted[];
}

function isOfServer({ subject }: Counted): boolean {
  return subject.startsWith("server ");
}

function lifeOf({ serial, pid }: Life): string {
  return `${serial} ${pid}`;
}
