/** Runs the checks of all targets: machines of core over sockets. Used by the check role. */

import type {
  AgentWord,
  CheckTarget,
  CheckVerdict,
  Suspended,
} from "../core/check/check-settings.ts";
import { combinedVerdict, isOtherVerdict } from "../core/check/combined-verdict.ts";
import { DerivedKeys } from "../core/check/scram.ts";
import { startOffset } from "../core/check/schedule.ts";
import { isOptional, ServerCheck, type ServerCheckInput } from "../core/check/server-check.ts";
import { identityOf, isElsewhere, keyOf } from "../core/check/target-identity.ts";
import { isHere, whySuspended } from "../core/check/suspension.ts";
import { type Abandon, ask } from "../drivers/check-ask.ts";
import type { ScriptRules } from "../drivers/check-script.ts";
import { CheckWires } from "../drivers/check-wire.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { DeadlineHeap } from "../lib/deadline-heap.ts";
import type { Prng } from "../lib/prng.ts";

/** How many are asked at the same time; more wait until one of these has ended. */
export interface CheckLimits {
  readonly probes: number;
  /** Each is a process of its own, and starting one takes milliseconds. */
  readonly scripts: number;
}

const LIMITS: CheckLimits = { probes: 4096, scripts: 32 };
const STEPS_PER_TURN = 64;

/** What may be asked at the same time, and who waits for it. */
interface Slots {
  readonly limit: number;
  used: number;
  waiting: Running[];
}

interface Running {
  readonly check: ServerCheck;
  /** Of the settings: the same text = the same check, which goes on undisturbed. */
  readonly identity: string;
  abandon: Abandon | undefined;
  readonly deadline: number;
}

/** A timer that is later than that: the whole process was stopped or starved. */
const STOOD_STILL_MS = 100;
/** Then answers that are on their way are waited for that long. */
const CATCH_UP_MS = 250;
/** Who stands still again and again must judge some day. */
const MAX_CATCH_UPS = 3;

/** What a single check said, after its subject was told of; `changed`: that went up or down by it. */
type OnCheck = (check: string, verdict: CheckVerdict, changed: boolean) => void;

export class CheckRunner {
  /** Of checks that tell of failures which change nothing. */
  onFailure: (subject: string, reason: string) => void = () => {};
  readonly #prng: Prng;
  readonly #onVerdict: (verdict: CheckVerdict) => void;
  readonly #onCheck: OnCheck;
  /** By subject and check: a server may have several. */
  readonly #running = new Map<string, Running>();
  /** Keys of all checks of a subject. */
  readonly #keysOf = new Map<string, string[]>();
  /** By subject: what was said last, so what everybody knows. */
  readonly #told = new Map<string, CheckVerdict>();
  /** What had been said of these holds no more, and nothing was since. */
  readonly #forgotten = new Set<string>();
  #askedBefore: readonly CheckTarget[] = [];
  readonly #heap = new DeadlineHeap<Running>();
  readonly #keys = new DerivedKeys();
  readonly #wires = new CheckWires();
  #scripts: ScriptRules = { enforce: true };
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #holds: (address: string) => boolean = () => true;
  #timerAt = Infinity;
  /** When the next wake is to be; what it is later than that, we stood still. */
  #expectedMs = Infinity;
  /** In a row. */
  #catchUps = 0;
  readonly #probeSlots: Slots;
  readonly #scriptSlots: Slots;
  #ended = 0;

  constructor(
    prng: Prng,
    onVerdict: (verdict: CheckVerdict) => void,
    onCheck: OnCheck = () => {},
    limits: CheckLimits = LIMITS,
  ) {
    this.#prng = prng;
    this.#onVerdict = onVerdict;
    this.#onCheck = onCheck;
    this.#probeSlots = { limit: limits.probes, used: 0, waiting: [] };
    this.#scriptSlots = { limit: limits.scripts, used: 0, waiting: [] };
  }

  /**
   * What an earlier process had told of servers: it holds until they are judged anew. `asked`: what that process
   * was to ask, if it is known. Before `configure`.
   */
  remember(verdicts: readonly CheckVerdict[], asked: readonly CheckTarget[] = []): void {
    for (const verdict of verdicts) this.#told.set(verdict.subject, verdict);
    this.#askedBefore = asked;
  }

  /**
   * By difference: what is unchanged goes on, what is gone is forgotten. Answers of which subjects
   * nothing is known any more.
   */
  configure(targets: readonly CheckTarget[], scripts: ScriptRules): string[] {
    this.#scripts = scripts;
    const moved = this.#moved(targets);
    this.#askedBefore = [];
    const isFirst = this.#running.size === 0;
    const wanted = new Set(targets.map(keyOf));
    for (const [key, running] of this.#running) if (!wanted.has(key)) this.#forget(key, running);
    this.#learnSubjects(targets);
    for (const slots of [this.#probeSlots, this.#scriptSlots]) {
      slots.waiting = slots.waiting.filter((running) => this.#isKnown(running));
    }
    const fresh = targets.filter(
      (target) => this.#running.get(keyOf(target))?.identity !== identityOf(target),
    );
    const now = monotonicMs();
    for (const [i, target] of fresh.entries()) {
      const { warmupMs, intervalMs } = target.check.timing;
      const spread = Math.min(
        this.#prng.fraction() * warmupMs,
        startOffset(i, fresh.length, intervalMs),
      );
      const known = moved.has(target.subject) ? undefined : this.#known(target, isFirst);
      this.#start(target, now + spread, known);
    }
    this.#arm();
    for (const subject of this.#keysOf.keys()) this.#tell(subject);
    const unknown = [...this.#told.keys()].filter((one) => this.#verdictOf(one) === undefined);
    for (const subject of unknown) {
      this.#told.delete(subject);
      this.#forgotten.add(subject);
    }
    return unknown;
  }

  /** Checks that came to an end since the start, good or bad, time-outs included. */
  get ended(): number {
    return this.#ended;
  }

  /** What may have been heard of these holds no more. Not of all that were not judged yet. */
  get forgotten(): string[] {
    return [...this.#forgotten];
  }

  /** What is known now: for somebody who connects later. */
  get verdicts(): CheckVerdict[] {
    return [...this.#keysOf.keys()].flatMap((subject) => this.#verdictOf(subject) ?? []);
  }

  /** Of these no check is run now, and why. */
  get suspended(): Suspended[] {
    return [...this.#keysOf].flatMap(([subject, keys]) => {
      const checks = keys.flatMap((key) => this.#running.get(key)?.check ?? []);
      const [first] = checks;
      if (first === undefined || checks.some(({ isSuspended }) => !isSuspended)) return [];
      return [{ subject, reason: whySuspended(first.target.check) }];
    });
  }

  /** `holds`: whether this machine has an address. To be called again when that changed. */
  lookAtAddresses(holds: (address: string) => boolean): void {
    this.#holds = holds;
    const here = ({ check: { target } }: Running): boolean => isHere(target.check, holds);
    const all = [...this.#running.values()];
    for (const one of all) if (!here(one)) this.#step(one, { type: "suspended" });
    const back = all.filter((one) => one.check.isSuspended && here(one));
    const now = monotonicMs();
    for (const [i, one] of back.entries()) {
      const { intervalMs } = one.check.target.check.timing;
      this.#step(one, { type: "resumed", atMs: now + startOffset(i, back.length, intervalMs) });
    }
    this.#arm();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const [key, running] of this.#running) this.#forget(key, running, true);
    this.#wires.close();
  }

  #learnSubjects(targets: readonly CheckTarget[]): void {
    this.#keysOf.clear();
    for (const target of targets) {
      const keys = this.#keysOf.get(target.subject);
      if (keys === undefined) this.#keysOf.set(target.subject, [keyOf(target)]);
      else keys.push(keyOf(target));
    }
    for (const subjects of [this.#told, this.#forgotten]) {
      for (const subject of subjects.keys()) {
        if (!this.#keysOf.has(subject)) subjects.delete(subject);
      }
    }
  }

  #verdictOf(subject: string): CheckVerdict | undefined {
    const keys = this.#keysOf.get(subject) ?? [];
    const checks = keys.map((key) => this.#running.get(key)?.check);
    const said = checks.filter((one) => one?.isOptional !== true || one.verdict !== undefined);
    const all = combinedVerdict(said.map((one) => one?.verdict));
    const words = said.flatMap((one) => (one?.isOptional === true ? wordOf(one) : []));
    return all === undefined || words.length === 0 || keys.length === 1 ? all : { ...all, words };
  }

  /** What all checks of it say together, when that changes. */
  #tell(subject: string): void {
    const all = this.#verdictOf(subject);
    if (all === undefined || !isOtherVerdict(this.#told.get(subject), all)) return;
    this.#told.set(subject, all);
    this.#forgotten.delete(subject);
    this.#onVerdict(all);
  }

  /** Another machine or program under the same name: nothing that is known holds for it. */
  #moved(targets: readonly CheckTarget[]): Set<string> {
    const asked = [...this.#running.values()].map(({ check }) => check.target);
    const before = Map.groupBy([...asked, ...this.#askedBefore], ({ subject }) => subject);
    const moved = targets.filter((target) => isElsewhere(target, before.get(target.subject) ?? []));
    return new Set(moved.map(({ subject }) => subject));
  }

  /**
   * What a check that is new begins with: its own word under its earlier settings, or what is known of its
   * subject. The latter not if it may be silent for ever, unless it was that check's own (`isFirst`: of
   * an earlier process).
   */
  #known(target: CheckTarget, isFirst: boolean): CheckVerdict | undefined {
    const { subject, check } = target;
    const before = this.#running.get(keyOf(target))?.check;
    const own = before?.isOptional === isOptional(target) ? before.verdict : undefined;
    const told = this.#told.get(subject);
    const isAlone = isFirst && this.#keysOf.get(subject)?.length === 1;
    if (own !== undefined || isAlone || !isOptional(target)) return own ?? told;
    const word = told?.words?.find((one) => one.check === check.name);
    if (word === undefined) return undefined;
    const { check: _check, ...said } = word;
    return { subject, latencyMs: 0, ...said };
  }

  #start(target: CheckTarget, firstMs: number, known: CheckVerdict | undefined): void {
    const before = this.#running.get(keyOf(target));
    if (before !== undefined) this.#forget(keyOf(target), before);
    const check = new ServerCheck(target, firstMs, known);
    const running: Running = {
      check,
      identity: identityOf(target),
      abandon: undefined,
      get deadline() {
        return check.deadline;
      },
    };
    this.#running.set(keyOf(target), running);
    if (isHere(target.check, this.#holds)) this.#heap.push(running);
    else this.#step(running, { type: "suspended" });
  }

  #forget(key: string, running: Running, atOnce = false): void {
    this.#running.delete(key);
    this.#abandon(running, atOnce);
  }

  #abandon(running: Running, atOnce = false): void {
    const { abandon } = running;
    if (abandon === undefined) return;
    this.#noteEnd(running);
    abandon(atOnce);
  }

  #wake(): void {
    if (this.#isClosed) return;
    const now = monotonicMs();
    if (now - this.#expectedMs > STOOD_STILL_MS && this.#catchUps < MAX_CATCH_UPS) {
      // We stood still, not the servers: their answers get the time to be read before any time-out.
      this.#catchUps++;
      this.#timerAt = -Infinity;
      this.#expectedMs = now + CATCH_UP_MS;
      this.#timer = setTimeout(() => this.#wake(), CATCH_UP_MS);
      return;
    }
    this.#catchUps = 0;
    this.#timerAt = Infinity;
    for (let steps = 0; steps < STEPS_PER_TURN; steps++) {
      const running = this.#heap.takeDue(now);
      if (running === undefined) return this.#arm();
      if (!this.#isKnown(running)) continue;
      const slots = this.#slotsOf(running);
      const starts = running.abandon === undefined;
      if (starts && slots.used >= slots.limit) slots.waiting.push(running);
      else this.#step(running, { type: "woken" });
    }
    // Who is late must not make the answers wait that have come meanwhile.
    this.#timerAt = -Infinity;
    this.#expectedMs = now;
    setImmediate(() => this.#wake());
  }

  #isKnown(running: Running): boolean {
    return this.#running.get(keyOf(running.check.target)) === running;
  }

  #slotsOf({ check }: Running): Slots {
    return check.target.check.protocol.kind === "script" ? this.#scriptSlots : this.#probeSlots;
  }

  #noteEnd(running: Running): void {
    running.abandon = undefined;
    this.#ended++;
    const slots = this.#slotsOf(running);
    slots.used--;
    if (slots.waiting.length > 0) setImmediate(() => this.#fill(slots));
  }

  #fill(slots: Slots): void {
    while (slots.used < slots.limit) {
      const next = slots.waiting.shift();
      if (next === undefined) break;
      if (this.#isKnown(next)) this.#step(next, { type: "woken" });
    }
    this.#arm();
  }

  #step(running: Running, input: ServerCheckInput): void {
    for (const action of running.check.step(monotonicMs(), input)) {
      if (action.type === "start-probe") this.#ask(running);
      else if (action.type === "abandon-probe") this.#abandon(running);
      else if (action.type === "note-failure") {
        this.onFailure(running.check.target.subject, action.reason);
      } else {
        const { subject } = action.verdict;
        const before = this.#told.get(subject)?.up;
        this.#tell(subject);
        const changed = this.#told.get(subject)?.up !== before;
        this.#onCheck(running.check.target.check.name, action.verdict, changed);
      }
    }
    this.#heap.push(running);
  }

  #ask(running: Running): void {
    const asking = { scripts: this.#scripts, keys: this.#keys, wires: this.#wires };
    this.#slotsOf(running).used++;
    running.abandon = ask(running.check.target, asking, (result) => {
      if (running.abandon === undefined) return;
      this.#noteEnd(running);
      this.#step(running, { type: "probe-ended", result });
      this.#arm();
    });
  }

  #arm(): void {
    const at = this.#heap.deadline;
    if (at >= this.#timerAt || at === Infinity) return;
    clearTimeout(this.#timer);
    this.#timerAt = this.#expectedMs = at;
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, Math.ceil(at - monotonicMs())));
  }
}

function wordOf({ target, verdict }: ServerCheck): AgentWord[] {
  if (verdict === undefined) return [];
  const { subject: _subject, latencyMs: _latencyMs, ...word } = verdict;
  return [{ ...word, check: target.check.name }];
}
