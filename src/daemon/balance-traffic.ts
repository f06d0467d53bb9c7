/**
 * What each worker has counted: of services small enough to be asked for every second, of servers once a
 * minute. Kept apart per worker, because each counts from its own start.
 */

import type { CountingProcess, Counted } from "../core/journal/tally.ts";
import type { Latency } from "../core/journal/measurement.ts";
import type { Engine } from "../core/proxy/engine.ts";
import type { CounterName, Traffic } from "../core/proxy/traffic.ts";
import { monotonicMs } from "../drivers/clock.ts";
import type { WorkerLink } from "./balance-hub.ts";

/** The last numbers of a worker are told that long: several looks, and two at its servers. */
const LAST_NUMBERS_MS = 150_000;
const MAX_ENDED = 64;
/** Numbers of servers that ended workers may leave here; then the oldest ones are forgotten. */
const MAX_ENDED_SERVERS = 20_000;

/** Of `servers`: asked for once a minute, because there may be many. */
export type Counting = "services" | "servers";

export function countedBy(engine: Engine, what: Counting = "services"): Counted[] {
  return what === "services" ? servicesOf(engine) : serversOf(engine);
}

function servicesOf(engine: Engine): Counted[] {
  return [
    ...[...engine.frontends].map(({ name, traffic }) => countedOf(`frontend ${name}`, traffic)),
    ...[...engine.dispatchers].map(({ settings, traffic }) =>
      countedOf(`pool ${settings.name}`, traffic),
    ),
  ];
}

/** Answers that a server gave, and what it should have given: a try that failed is its fault alone. */
function serversOf(engine: Engine): Counted[] {
  return [...engine.dispatchers].flatMap(({ settings, groups }) =>
    [...groups].map(({ server, traffic }) => {
      const count = (names: readonly CounterName[]): number =>
        names.reduce((sum, name) => sum + traffic.get(name), 0);
      return {
        subject: `server ${settings.name}/${server.name}`,
        good: count(ANSWERS),
        bad: count(SERVER_ERRORS),
        inFlight: traffic.get("inFlight"),
        latency: latencyOf(traffic),
      };
    }),
  );
}

const ANSWERS: readonly CounterName[] = ["success", "redirect", "clientError"];
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
  totalTime.counts.forEach((count, index) => {
    if (count > 0) latency.push([index, count]);
  });
  return latency;
}

/** Workers that live, and those that have said their last word lately. */
export class TrafficDesk {
  readonly #ended: EndedWorker[] = [];

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

  async look(links: readonly WorkerLink[], what: Counting): Promise<CountingProcess[]> {
    const fromMs = monotonicMs() - LAST_NUMBERS_MS;
    while ((this.#ended[0]?.atMs ?? Infinity) < fromMs) this.#ended.shift();
    const answers = await Promise.all(
      links.map(async (link): Promise<CountingProcess[]> => {
        const { reply } = await link.ask({ type: "get-traffic", what });
        // A worker of an older version knows of services only.
        const counted = reply?.counted?.filter((one) => isOfServer(one) === (what === "servers"));
        return counted === undefined ? [] : [{ life: lifeOf(link.hello), isEnded: false, counted }];
      }),
    );
    const ended = this.#ended.map((one) => ({ life: one.life, isEnded: true, counted: one[what] }));
    const over = new Set(ended.map(({ life }) => life));
    return [...answers.flat().filter(({ life }) => !over.has(life)), ...ended];
  }
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

function lifeOf({ serial, pid }: WorkerLink["hello"]): string {
  return `${serial} ${pid}`;
}
