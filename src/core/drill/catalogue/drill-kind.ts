/** What every entry of the catalogue is made of, and the promises that follow from the facts. */

import { longestUnnoticedMs } from "../../check/witness.ts";
import { afterResignationMs, skewMs } from "../../vrrp/timing.ts";
import { isMaster, type InstanceFacts, type SiteFacts } from "../facts.ts";
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
export const PATIENT_MS = 5000;
export const LIMIT_MARGIN_MS = 5000;
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
    settleMs: SETTLE_MS + preemptDelayMs(facts),
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

/**
 * Who had the address and prefers to have it, takes it back from whoever has a lower priority; `nopreempt` leaves it
 * where it is. `keepsOn`: it goes on as master, and when two of them meet the priority alone decides.
 */
export function afterLoss(facts: SiteFacts, keepsOn = false): Promised["afterwards"] {
  const held = heldBy(facts);
  if (held.length === 0) return "either";
  if (!keepsOn && !held.every(({ preempts }) => preempts)) return "stays-away";
  const wins = held.every((ours) => {
    const takers = takersOf(facts, ours);
    return takers.length > 0 && takers.every(({ priority }) => priority < ours.priority);
  });
  return wins ? "returns" : "either";
}

function preemptDelayMs(facts: SiteFacts): number {
  return Math.max(0, ...heldBy(facts).map((instance) => instance.preemptDelayMs));
}

function heldBy({ target }: SiteFacts): readonly InstanceFacts[] {
  return target.instances.filter(({ state }) => state === "MASTER");
}

function takersOf({ others }: SiteFacts, { name }: InstanceFacts): readonly InstanceFacts[] {
  return others.flatMap(({ instances }) => instances.filter((other) => other.name === name));
}

/** The way back: two masters meet for a moment, and a balancer's clients must come in anew. */
export function returnMs({ target }: SiteFacts): number {
  return 2 * SLACK_MS + (target.listening.length > 0 ? SYN_RETRY_MS : 0);
}

/** Adverts of silence and the skew of whoever takes over. */
export function masterLossMs(facts: SiteFacts): number {
  return worstTakeover(facts, ({ downMs }) => downMs) + SLACK_MS;
}

export function resignationMs(facts: SiteFacts): number {
  return worstTakeover(facts, ({ resignedMs }) => resignedMs) + SLACK_MS;
}

/** Until a node that hears nothing knows it by its witness, and its resignation. */
export function deafnessMs(facts: SiteFacts): number {
  const slowest = ({ advertMs, resignedMs }: Takeover): number =>
    longestUnnoticedMs(advertMs) + resignedMs;
  return worstTakeover(facts, slowest) + SLACK_MS;
}

/** How long one node waits before it takes over. */
interface Takeover {
  readonly advertMs: number;
  /** After the last advert. */
  readonly downMs: number;
  /** After a resignation. */
  readonly resignedMs: number;
}

function worstTakeover(facts: SiteFacts, time: (takeover: Takeover) => number): number {
  const times = heldBy(facts).flatMap((ours) => {
    const takers = takersOf(facts, ours);
    if (takers.length === 0) return [time(byStranger(ours))];
    return takers.map((taker) => time(byNode(ours, taker, takers.length === 1)));
  });
  return Math.ceil(Math.max(0, ...times));
}

function byNode(
  { advertIntervalMs }: InstanceFacts,
  { priority, masterDownMs, hastens, othersHeard }: InstanceFacts,
  isOnly: boolean,
): Takeover {
  const skew = skewMs(3, priority, advertIntervalMs);
  const isFast = isOnly && hastens && othersHeard <= 1;
  return {
    advertMs: advertIntervalMs,
    downMs: masterDownMs,
    resignedMs: afterResignationMs(skew, isFast),
  };
}

/** A taker of whom nothing is known: the lowest priority has the longest skew that there is. */
function byStranger({ advertIntervalMs, priority, masterDownMs }: InstanceFacts): Takeover {
  const skew = skewMs(3, 1, advertIntervalMs);
  return {
    advertMs: advertIntervalMs,
    downMs: masterDownMs - skewMs(3, priority, advertIntervalMs) + skew,
    resignedMs: skew,
  };
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
  readonly worstMs?: number;
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
    pool.servers.flatMap(({ name, usable, endpoint, state, worstMs }) => {
      const at = /^\[?([\d.a-f:]+?)\]?:(\d+)$/i.exec(endpoint);
      if (!usable || at === null) return [];
      const [, address = "", port] = at;
      const where = { address, port: Number(port), isChecked: state !== "unchecked" };
      const known = worstMs === undefined ? {} : { worstMs };
      return [{ name: `${pool.name}/${name}`, pool: pool.name, server: name, ...where, ...known }];
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
