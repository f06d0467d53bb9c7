/** What every entry of the catalogue is made of, and the promises that follow from the facts. */

import { longestUnnoticedMs } from "../../check/witness.ts";
import { isMaster, type SiteFacts } from "../facts.ts";
import type { Command, DrillPlan, Layer, Promised, Radius } from "../plan.ts";

/** A machine that is busy with something else gets some slack on top. */
export const SLACK_MS = 400;

export interface DrillKind {
  readonly name: string;
  readonly title: string;
  readonly layer: Layer;
  /** What is done and what should happen. */
  readonly says: string;
  /** A sentence instead of a plan: why it cannot be done here. */
  readonly build: (facts: SiteFacts, options: BuildOptions) => Built | string;
}

export interface BuildOptions {
  /** `POOL/SERVER`; the first usable one by default. */
  readonly server?: string | undefined;
  /** Watched on at least so long after the consequence was seen, ms; absent: as the drill says. */
  readonly lastsMs?: number | undefined;
}

/** Nobody looks on for longer. */
export const LONGEST_LAST_MS = 3_600_000;

/** What an entry says of its plan; the rest is the same for all. */
export interface Built
  extends
    Pick<DrillPlan, "faults" | "expect">,
    Partial<
      Pick<
        DrillPlan,
        | "danger"
        | "isPlanned"
        | "cutsLine"
        | "untilWhole"
        | "patienceMs"
        | "watchMs"
        | "limitMs"
        | "settleMs"
        | "abort"
      >
    > {
  readonly radius?: Radius;
  readonly promise: Partial<Promised> & Pick<Promised, "text">;
}

/** A client that was kept out for a moment asks again after a second. */
const SYN_RETRY_MS = 1000;
const NO_OUTAGE_MS = SYN_RETRY_MS + SLACK_MS;
const WATCH_MS = 800;
const PATIENCE_MS = 1000;
/** Who asks for no failure waits as long as a browser would. */
const PATIENT_MS = 5000;
const LIMIT_MARGIN_MS = 5000;
const SETTLE_MS = 20_000;
const ABORT_MARGIN_MS = 10_000;

export function planFor(
  kind: DrillKind,
  facts: SiteFacts,
  options: BuildOptions = {},
): DrillPlan | string {
  const built = kind.build(facts, options);
  if (typeof built === "string") return built;
  // Who promises that nobody fails promises no speed: only that it is felt as no outage.
  const longestMs = built.promise.failed === undefined ? SLACK_MS : NO_OUTAGE_MS;
  const promise: Promised = {
    outageMs: longestMs,
    returnOutageMs: longestMs,
    afterwards: "returns",
    ...built.promise,
  };
  const { name, title, says, layer } = kind;
  const watchMs = Math.max(built.watchMs ?? WATCH_MS, options.lastsMs ?? 0);
  return {
    patienceMs: promise.failed === undefined ? PATIENCE_MS : PATIENT_MS,
    limitMs: promise.outageMs + LIMIT_MARGIN_MS,
    settleMs: SETTLE_MS,
    abort: { outageMs: promise.outageMs + ABORT_MARGIN_MS, failed: MANY },
    radius: { takes: "nothing" },
    ...built,
    watchMs,
    name,
    title,
    says,
    layer,
    target: facts.target.name,
    promise,
  };
}

/** Failures are bounded by the outage; who wants less says so. */
const MANY = 1_000_000;

export function on(facts: SiteFacts, ...argv: readonly string[]): Command {
  return { host: facts.target.name, argv };
}

/** Where several words must be one shell line. */
export function shell(facts: SiteFacts, line: string): Command {
  return on(facts, "sh", "-c", line);
}

interface Loop {
  readonly name: string;
  /** Begins a turn; the loop ends when it fails. */
  readonly begin: string;
  readonly rest: string;
  /** Mends what a broken-off turn leaves, where somebody killed the loop. */
  readonly tidy: string;
}

/** Commands that go on by themselves until it is undone: no turn is broken off, the last one is waited for. */
export function looping(
  facts: SiteFacts,
  { name, begin, rest, tidy }: Loop,
): { readonly inject: readonly Command[]; readonly undo: readonly Command[] } {
  const [pid, end] = [
    `${facts.runDirectory}/drill-${name}.pid`,
    `${facts.runDirectory}/drill-${name}.end`,
  ];
  const loop = `while [ ! -f ${end} ] && ${begin}; do ${rest}; done; rm -f ${pid}`;
  const isAtWork = `[ -f ${pid} ] && kill -0 "$(cat ${pid})" 2>/dev/null`;
  const finish = `touch ${end} 2>/dev/null; while ${isAtWork}; do sleep 0.05; done; rm -f ${pid} ${end}`;
  return {
    inject: [
      shell(facts, `rm -f ${end}; setsid sh -c '${loop}' >/dev/null 2>&1 & echo $! > ${pid}`),
    ],
    undo: [shell(facts, finish), shell(facts, `${tidy} 2>/dev/null; true`)],
  };
}

export function nines(facts: SiteFacts, ...words: readonly string[]): Command {
  return on(facts, ...facts.nines, ...words, "--run-dir", facts.runDirectory);
}

/** The target's address goes elsewhere, when it has one. */
export function movesIfHeld(facts: SiteFacts): "moves" | "either" {
  return isMaster(facts.target) ? "moves" : "either";
}

/** Who had the address and prefers to have it, takes it back; `nopreempt` leaves it where it is. */
export function afterLoss(facts: SiteFacts): Promised["afterwards"] {
  if (!isMaster(facts.target)) return "either";
  return facts.target.instances.every(({ preempts }) => preempts) ? "returns" : "stays-away";
}

/** The way back: two masters meet for a moment, and a balancer's clients must come in anew. */
export function returnMs({ target }: SiteFacts): number {
  return 2 * SLACK_MS + (target.listening.length > 0 ? SYN_RETRY_MS : 0);
}

/** Three adverts of silence and the skew of whoever takes over. */
export function masterLossMs(facts: SiteFacts): number {
  return worstInstance(facts, (advertMs, skewMs) => 3 * advertMs + skewMs) + SLACK_MS;
}

/** An eighth of the skew and up to 10 ms. */
export function resignationMs(facts: SiteFacts): number {
  return worstInstance(facts, (_, skewMs) => skewMs / 8 + 10) + SLACK_MS;
}

/** Until a node that hears nothing knows it by its witness, and its resignation. */
export function deafnessMs(facts: SiteFacts): number {
  const slowest = (advertMs: number, skewMs: number): number =>
    longestUnnoticedMs(advertMs) + skewMs / 8 + 10;
  return worstInstance(facts, slowest) + SLACK_MS;
}

function worstInstance(
  { target, others }: SiteFacts,
  time: (advertMs: number, skewMs: number) => number,
): number {
  let worst = 0;
  for (const { name, state, advertIntervalMs } of target.instances) {
    if (state !== "MASTER") continue;
    const priorities = others.flatMap(({ instances }) =>
      instances.filter((other) => other.name === name).map(({ priority }) => priority),
    );
    // A taker whose priority nobody knows has the longest skew that there is.
    const priority = priorities.length === 0 ? 1 : Math.min(...priorities);
    worst = Math.max(worst, time(advertIntervalMs, ((256 - priority) / 256) * advertIntervalMs));
  }
  return Math.ceil(worst);
}

/** The interface that the target's address, or its traffic, is on. */
export function linkOf({ target, links }: SiteFacts): string | undefined {
  return target.instances[0]?.interface ?? links[0]?.interface;
}

/** `POOL/SERVER` and where it listens. */
export interface ChosenServer {
  readonly name: string;
  readonly pool: string;
  readonly server: string;
  readonly address: string;
  readonly port: number;
  /** Somebody asks it whether it is well, besides its clients. */
  readonly isChecked: boolean;
}

export function chooseServer(facts: SiteFacts, wanted?: string): ChosenServer | string {
  const all = allServers(facts);
  const found = wanted === undefined ? all[0] : all.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  if (wanted === undefined) return "no pool has a usable server with an IP address";
  return `no usable server '${wanted}'; there are: ${all.map(({ name }) => name).join(", ")}`;
}

export function allServers({ target }: Pick<SiteFacts, "target">): readonly ChosenServer[] {
  return target.pools.flatMap((pool) =>
    pool.servers.flatMap(({ name, usable, endpoint, state }) => {
      const at = /^\[?([\d.a-f:]+?)\]?:(\d+)$/i.exec(endpoint);
      if (!usable || at === null) return [];
      const [, address = "", port] = at;
      const where = { address, port: Number(port), isChecked: state !== "unchecked" };
      return [{ name: `${pool.name}/${name}`, pool: pool.name, server: name, ...where }];
    }),
  );
}

const TABLE = "nines_drill";

/** Rules in a table of the drill's own; `undo` works also when it is not there. */
export function filter(
  facts: SiteFacts,
  family: "netdev" | "ip" | "ip6",
  lines: readonly string[],
): { readonly inject: readonly Command[]; readonly undo: readonly Command[] } {
  const table = `${family} ${TABLE}`;
  const words = lines.map((line) => line.replace(TABLE_WORD, table));
  return {
    inject: [on(facts, "nft", [`add table ${table}`, ...words].join("; "))],
    undo: [on(facts, "nft", `add table ${table}; delete table ${table}`)],
  };
}

/** Stands for the table in the lines of `filter`. */
export const TABLE_WORD = "TABLE";
