/**
 * What a drill is before it runs: exact commands, what they may take away, what was promised. Rules
 * of this folder: it knows facts and observations, never sockets or processes; whoever conducts a
 * drill carries its orders out.
 */

/** One program with its words, and the host of the site that it runs on. */
export interface Command {
  readonly host: string;
  readonly argv: readonly string[];
  /** What no program on the host can do to it (power): the site's own hand does it. */
  readonly bySite?: true;
}

/**
 * What is broken and how it is mended. `undo` is carried out in its own order, but the faults of a
 * plan from the last to the first. Every undo is idempotent: it may run twice, or without the fault.
 */
export interface Fault {
  readonly says: string;
  readonly inject: readonly Command[];
  readonly undo: readonly Command[];
}

/** The layer whose second copy the drill asks for. */
export type Layer = "address" | "director" | "pool" | "node" | "network";

/** What may be gone while the fault lasts; the redundancy that must be there before. */
export type Radius =
  | { readonly takes: "nothing" }
  /** The node: its addresses must have another taker. */
  | { readonly takes: "node" }
  /** One server of a pool. */
  | { readonly takes: "server"; readonly pool: string; readonly server: string }
  /** One worker: another one must be there, or requests wait for its successor. */
  | { readonly takes: "worker" };

/**
 * Who has the target's addresses while the fault lasts: `moves` another node and not the target;
 * `taken` another node, whatever the target believes (it cannot know); `stays` the target alone.
 */
export type Holding = "moves" | "taken" | "stays" | "either";

export interface Expectation {
  readonly holding: Holding;
  /** One of these kinds of events must be told by some node; empty: none need be. */
  readonly told: readonly string[];
  /** `POOL/SERVER` must no longer be usable (`out`), or be usable all the time. */
  readonly server?: { readonly name: string; readonly is: "out" | "serving" };
  /** The fault must have been felt: some answer took at least so long, ms. */
  readonly slowerThanMs?: number;
}

export interface Promised {
  /** In the words of whoever asks for how long. */
  readonly text: string;
  /** Longest time without any answer, from the fault until it is mended, ms. */
  readonly outageMs: number;
  /** The same for the way back, ms. */
  readonly returnOutageMs: number;
  /** Failed requests; absent: as many as the outage takes. */
  readonly failed?: number;
  /** Who has the addresses at the end: `returns` who had them, `stays-away` who took them. */
  readonly afterwards: "returns" | "stays-away" | "either";
}

/** More than this, and the fault is taken back at once. */
export interface AbortRules {
  readonly outageMs: number;
  readonly failed: number;
}

export interface DrillPlan {
  readonly name: string;
  readonly title: string;
  /** What is done and what should happen, in plain words. */
  readonly says: string;
  readonly layer: Layer;
  /** The node whose resilience is asked for. */
  readonly target: string;
  readonly radius: Radius;
  /** What operators do every day: its switch says nothing of those that faults ask for. */
  readonly isPlanned?: true;
  /** It takes the way to the node's console: who asks from elsewhere hears no more for a while. */
  readonly cutsLine?: true;
  /** Harms more than the service: only when told so (`power`, `clock`, `disk`). */
  readonly danger?: string;
  readonly faults: readonly Fault[];
  readonly expect: Expectation;
  readonly promise: Promised;
  readonly abort: AbortRules;
  /** How long a client waits for an answer, ms. */
  readonly patienceMs: number;
  /** Watched on after the consequence was seen, ms. */
  readonly watchMs: number;
  /** Longest wait for the consequence, ms. */
  readonly limitMs: number;
  /** Also waited for: servers that came back have their whole share again (slow start). */
  readonly untilWhole?: true;
  /** Longest wait for the steady state after the fault, ms. */
  readonly settleMs: number;
}

/** The whole of it takes no longer: what the guard is given, ms. */
export function longestMs(plan: DrillPlan): number {
  return INJECT_WITHIN_MS + plan.limitMs + plan.watchMs;
}

/** Commands are started one after the other and each of them is quick. */
const INJECT_WITHIN_MS = 50_000;

/** As a shell takes it: what `nines drill plan` prints can be copied. */
export function shellLine(argv: readonly string[]): string {
  return argv.map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
