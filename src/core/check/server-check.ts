/**
 * One check of one target: when to ask, how often again, and what it means. Which bytes go over
 * which socket, the driver and the probe know.
 */

import type { Machine } from "../../lib/deadline-machine.ts";
import { printable } from "../../lib/printable.ts";
import type { CheckTarget, CheckVerdict } from "./check-settings.ts";
import type { ProbeResult } from "./probe.ts";
import { RiseFall } from "./rise-fall.ts";

export type ServerCheckInput =
  | { readonly type: "woken" }
  | { readonly type: "probe-ended"; readonly result: ProbeResult }
  /** This machine has none of the addresses that it waits for (`whileHeld`): nothing is asked, what was found holds. */
  | { readonly type: "suspended" }
  | { readonly type: "resumed"; readonly atMs: number };

export type ServerCheckAction =
  | { readonly type: "start-probe" }
  /** It took too long; nothing that it still says counts. */
  | { readonly type: "abandon-probe" }
  | { readonly type: "report"; readonly verdict: CheckVerdict }
  /** One that does not take the server out (`logFailures`). */
  | { readonly type: "note-failure"; readonly reason: string };

type Phase =
  | { readonly kind: "waiting"; readonly atMs: number; readonly retriesLeft: number }
  | { readonly kind: "suspended" }
  | {
      readonly kind: "asking";
      /** When it should have begun: the next one is counted from it, or a busy process would ask less and less often. */
      readonly dueMs: number;
      readonly sinceMs: number;
      readonly retriesLeft: number;
    };

export class ServerCheck implements Machine<ServerCheckInput, ServerCheckAction> {
  readonly target: CheckTarget;
  readonly #health: RiseFall;
  #phase: Phase;
  #told: CheckVerdict | undefined;
  #lastOk = true;
  /** Of an agent: `75%` after `down` leaves it down. */
  #saidUp: boolean;
  #latencyMs = 0;
  #actions: ServerCheckAction[] = [];

  /** The first probe is at `firstMs`. `known`: what was found before, which stands until then. */
  constructor(target: CheckTarget, firstMs: number, known?: CheckVerdict) {
    const { rise, fall, startDown, retry } = target.check.timing;
    this.target = target;
    this.#health = new RiseFall({ rise, fall, startFailed: startDown, known: known?.up });
    this.#phase = { kind: "waiting", atMs: firstMs, retriesLeft: retry };
    // One that has to answer may be down by its silence, which a word of any kind ends.
    this.#saidUp = !this.isOptional || known?.up !== false;
    this.#latencyMs = known?.latencyMs ?? 0;
    this.#told = known;
    if (startDown && known === undefined) {
      const { subject } = target;
      this.#told = { subject, up: false, reason: "has not passed a check yet", latencyMs: 0 };
    }
  }

  get deadline(): number {
    const { kind } = this.#phase;
    if (kind === "suspended") return Infinity;
    if (kind === "waiting") return this.#phase.atMs;
    return this.#phase.sinceMs + this.target.check.timing.timeoutMs;
  }

  get isSuspended(): boolean {
    return this.#phase.kind === "suspended";
  }

  /** The last verdict that was reported, or the one to begin with (`startDown`); its latency is of now. */
  get verdict(): CheckVerdict | undefined {
    const latencyMs = this.#latencyMs;
    return this.#told === undefined ? undefined : { ...this.#told, latencyMs };
  }

  step(now: number, input: ServerCheckInput): readonly ServerCheckAction[] {
    this.#actions = [];
    if (input.type === "probe-ended") {
      if (this.#phase.kind === "asking") this.#take(now, input.result);
    } else if (input.type === "suspended") {
      if (this.#phase.kind === "asking") this.#actions.push({ type: "abandon-probe" });
      this.#phase = { kind: "suspended" };
    } else if (input.type === "resumed") {
      if (this.isSuspended) this.#wait(input.atMs);
    } else if (now >= this.deadline) {
      if (this.#phase.kind === "waiting") this.#ask(now, this.#phase.atMs, this.#phase.retriesLeft);
      else this.#overdue(now);
    }
    return this.#actions;
  }

  #wait(atMs: number): void {
    const retriesLeft = this.target.check.timing.retry;
    this.#phase = { kind: "waiting", atMs, retriesLeft };
  }

  #ask(now: number, dueMs: number, retriesLeft: number): void {
    this.#phase = { kind: "asking", dueMs, sinceMs: now, retriesLeft };
    this.#actions.push({ type: "start-probe" });
  }

  #overdue(now: number): void {
    this.#actions.push({ type: "abandon-probe" });
    const { protocol, timing } = this.target.check;
    if (protocol.kind === "udp" && !protocol.requireReply) {
      return this.#take(now, { ok: true, reason: "nobody told that the port is closed" });
    }
    this.#take(now, { ok: false, reason: `no answer within ${timing.timeoutMs} ms` });
  }

  #take(now: number, result: ProbeResult): void {
    const { timing } = this.target.check;
    if (this.#phase.kind !== "asking") return;
    const { dueMs, sinceMs, retriesLeft } = this.#phase;
    if (result.isOurs) return this.#notAsked(now, result.reason);
    if (!result.isWord && this.isOptional) return this.#silent(now);
    if (result.isSilentOnState) result = { ...result, ok: this.#saidUp };
    else if (result.isWord) this.#saidUp = result.ok;
    this.#latencyMs = now - sinceMs;
    // As keepalived: who is out already need not be given another chance before the next check.
    if (!result.ok && retriesLeft > 0 && this.#health.verdict !== false) {
      const atMs = now + timing.delayBeforeRetryMs;
      this.#noteFailure(result, `tries left: ${retriesLeft}`);
      this.#phase = { kind: "waiting", atMs, retriesLeft: retriesLeft - 1 };
      return;
    }
    this.#lastOk = result.ok;
    this.#health.observe(result.ok);
    this.#wait(Math.max(now, dueMs + this.#interval()));
    if (!result.ok && this.#health.verdict !== false) {
      this.#noteFailure(result, this.#health.progress());
    }
    this.#tell(result);
  }

  #noteFailure(result: ProbeResult, then: string): void {
    if (this.target.check.logFailures !== true) return;
    this.#actions.push({ type: "note-failure", reason: `${sentence(result)}, ${then}` });
  }

  /** A script whose 0 leaves the weight that it said before. */
  get #isDynamic(): boolean {
    const { protocol } = this.target.check;
    return protocol.kind === "script" && protocol.dynamic;
  }

  get isOptional(): boolean {
    return isOptional(this.target);
  }

  #silent(now: number): void {
    this.#wait(now + this.target.check.timing.intervalMs);
  }

  /** A server is not out because we have no descriptor left: its verdict stands, with a warning. */
  #notAsked(now: number, reason: string): void {
    this.#wait(now + this.target.check.timing.fastIntervalMs);
    const warning = `could not be asked: ${reason}`;
    if (this.#told === undefined || this.#told.warning === warning) return;
    this.#told = { ...this.#told, warning };
    this.#actions.push({ type: "report", verdict: this.#told });
  }

  #interval(): number {
    const { intervalMs, fastIntervalMs, downIntervalMs } = this.target.check.timing;
    const { verdict } = this.#health;
    if (verdict !== this.#lastOk) return fastIntervalMs;
    return verdict ? intervalMs : downIntervalMs;
  }

  #tell(result: ProbeResult): void {
    const up = this.#health.verdict;
    if (up === undefined) return;
    const before = this.#told;
    // What an agent does not speak of stays as it was: `ready` ends a drain, `up` does not, and least of all silence.
    const isSaid = result.ok && !result.isWord && !this.#isDynamic;
    const { weightPercent, admin, maxConnections } = isSaid ? result : { ...before, ...result };
    const warning = result.warning === undefined ? undefined : printable(result.warning);
    // What an agent says of other things is not why its server is down.
    const isAside = !up && result.isSilentOnState === true;
    const isNews =
      before === undefined ||
      before.up !== up ||
      // Who mends a server must see that something else is wrong with it now.
      (!up && !result.ok && !isAside && withoutProgress(before.reason) !== sentence(result)) ||
      before.weightPercent !== weightPercent ||
      before.admin !== admin ||
      before.maxConnections !== maxConnections ||
      before.warning !== warning;
    if (!isNews) return;
    const found = `${sentence(result)}, ${this.#health.progress()}`;
    this.#told = {
      subject: this.target.subject,
      up,
      reason: isAside && before?.up === up ? before.reason : found,
      latencyMs: this.#latencyMs,
      ...(weightPercent === undefined ? {} : { weightPercent }),
      ...(admin === undefined ? {} : { admin }),
      ...(maxConnections === undefined ? {} : { maxConnections }),
      ...(warning === undefined ? {} : { warning }),
    };
    this.#actions.push({ type: "report", verdict: this.#told });
  }
}

function sentence({ ok, reason }: ProbeResult): string {
  return `${ok ? "check passed" : "check failed"}: ${printable(reason)}`;
}

/** `check failed: ECONNREFUSED`, whether it was `, 1 of 3` or `, 3 of 3`. */
function withoutProgress(reason: string): string {
  return reason.replace(/, \d+ of \d+$/u, "");
}

/** An agent that only has a say when it says something. */
export function isOptional({ check: { protocol } }: CheckTarget): boolean {
  return protocol.kind === "agent" && protocol.required === false;
}
