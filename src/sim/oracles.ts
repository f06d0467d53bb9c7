/**
 * The judges. They keep an account of every instance of every node, look at each order before it
 * is carried out, at each step after it, and at the whole world after every event.
 */

import type { RouterAction } from "../core/vrrp/router-ports.ts";
import { Account } from "./account.ts";
import { sentPriority } from "./advert-reader.ts";
import type { Client } from "./client.ts";
import type { Node } from "./node.ts";
import { DRIFT_MARGIN, convergenceMs } from "./scenario.ts";
import { instanceNames } from "./settings-draft.ts";
import { judgeCaches, judgeOwner, judgeTogether } from "./settled-oracles.ts";
import {
  judgeAction,
  judgeChange,
  judgeGarbage,
  judgeOutcome,
  judgeReload,
  bite,
  type Early,
} from "./step-oracles.ts";
import {
  PairOracle,
  judgeGroupRhythm,
  judgeOverlap,
  judgeRhythm,
  judgeStalled,
} from "./time-oracles.ts";
import { Violation } from "./violation.ts";
import type { Step, Watch } from "./watch.ts";

/** More steps of one node within one ms are a live-lock. */
const MAX_STEPS_PER_MS = 400;
/** The product's own 30 s in which a node that gave up by itself does not preempt. */
const HOLD_MS = 30_000;

export class Oracles implements Watch {
  /** Set while nothing is and nothing was broken for long enough. */
  settled = false;
  readonly #accounts: Account[][] = [];
  /** World time spans in which a node that held back may change the picture once more. */
  readonly #loose: { readonly fromMs: number; readonly toMs: number }[] = [];
  /** A loser's last advert got lost: only a refresh can mend the clients' caches now. */
  #farewellLost = false;
  readonly #pairs = new PairOracle();
  readonly #clients: readonly Client[];
  readonly #pace = new Map<Node, { ms: number; steps: number }>();

  constructor(clients: readonly Client[]) {
    this.#clients = clients;
  }

  /** Before the first event. */
  enrol(nodes: readonly Node[], instances: number): void {
    for (const [segment, name] of instanceNames.slice(0, instances).entries()) {
      this.#accounts.push(nodes.map((node) => new Account(node, segment, name)));
    }
  }

  processStarted(node: Node): void {
    for (const account of this.#of(node)) account.begin();
  }

  processEnded(node: Node): void {
    for (const account of this.#of(node)) {
      account.stalledAtMs = Math.min(account.stalledAtMs, node.localMs);
      account.state = "STOPPED";
    }
  }

  processPaused(node: Node, on: boolean): void {
    for (const account of this.#of(node)) {
      if (node.frozen) account.frozeAtMs = account.worldMs;
      if (on) account.stalledAtMs = Math.min(account.stalledAtMs, node.localMs);
      else if (node.process?.suspended === false) account.stalledAtMs = Infinity;
      account.disturbedAtMs = account.worldMs;
      account.lastSentMs = Math.max(account.lastSentMs, node.localMs);
    }
  }

  /** Something outside the router changed: cables, kernel. `excuse`: addresses may be missing. */
  disturbed(node: Node, excuse: boolean): void {
    for (const account of this.#of(node)) {
      account.disturbedAtMs = account.worldMs;
      if (excuse) account.excused = true;
    }
  }

  beforeAction(node: Node, actions: readonly RouterAction[], index: number): void {
    const action = actions[index]!;
    if (action.type === "report" || action.type === "notify") return;
    const account = this.#of(node).find((a) => a.instance === action.instance);
    if (account === undefined) {
      throw new Violation("well-formed", node.around.queue.now, `unknown ${action.instance}`);
    }
    if (action.type === "acquire-addresses") {
      account.excused = node.kernel.refusesAddresses;
      if (account.excused) account.refusedAtMs = node.localMs;
    }
    judgeAction(account, actions, index);
    if (action.type !== "send-datagram") return;
    const leaves = actions.some(
      (a) => a.type === "release-addresses" && a.instance === action.instance,
    );
    account.resigned = sentPriority(action) === 0;
    if (leaves) this.#followFarewell(account);
    else noteSent(account, sentPriority(action));
  }

  afterStep(step: Step): void {
    const { node, input } = step;
    this.#judgePace(node);
    const accounts = this.#of(node);
    const before = accounts.map((account) => account.state);
    const early = step.changes.filter((change) => change.to === "MASTER");
    if (early.length > 0) this.#judgeTakeover(accounts, step);
    for (const change of step.changes) {
      const account = accounts.find((a) => a.instance === change.instance)!;
      if (this.#calm(account.worldMs)) {
        bite("no-flap", account, `${change.from} -> ${change.to} while all is well`);
      }
      account.enter(change.to);
    }
    for (const [i, account] of accounts.entries()) {
      const held = account.heldBackUntilMs;
      learn(account, step, before[i]!);
      if (account.heldBackUntilMs !== held && account.heldBackUntilMs < Infinity) {
        this.#loosen(account);
      }
      judgeOutcome(account, step, before[i] === "MASTER");
    }
    judgeGarbage(accounts, step);
    judgeReload(accounts, step);
    if (step.performed < step.actions.length) for (const account of accounts) account.torn = true;
    if (input.type === "stop-requested") judgeStop(accounts, step, before);
  }

  machineThrew(node: Node, input: string, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Violation("machine-sound", node.around.queue.now, `throws on ${input}: ${text}`);
  }

  /** After every event of the world. */
  afterEvent(): void {
    const owners: Account[] = [];
    const calm = this.#calm(this.#accounts[0]![0]!.worldMs);
    for (const { node } of this.#accounts[0]!) judgeGroupRhythm(this.#of(node));
    for (const accounts of this.#accounts) {
      const holding = accounts.filter((account) => account.answersAny);
      this.#pairs.judge(holding);
      for (const account of accounts) {
        judgeStalled(account);
        judgeRhythm(account);
      }
      if (!calm) continue;
      const owner = judgeOwner(accounts);
      if (owner !== undefined) owners.push(owner);
    }
    if (!calm) return;
    judgeTogether(owners);
    if (this.#farewellLost && this.#accounts[0]![0]!.refreshMs === 0) return;
    for (const owner of owners) judgeCaches(owner, this.#clients);
  }

  #calm(nowMs: number): boolean {
    return this.settled && !this.#loose.some((span) => nowMs >= span.fromMs && nowMs <= span.toMs);
  }

  /** A hold that ends while all is well lets a higher node preempt: that is no flap. */
  #loosen(account: Account): void {
    const { scenario } = account.node.around;
    const endMs = account.worldMs + HOLD_MS * DRIFT_MARGIN + scenario.chaosMs;
    const toMs = endMs + convergenceMs(scenario) + scenario.group.announceRefreshMs;
    this.#loose.push({ fromMs: account.worldMs + HOLD_MS / DRIFT_MARGIN, toMs });
  }

  #of(node: Node): Account[] {
    return this.#accounts.map((accounts) => accounts[node.index]!);
  }

  /** Has everybody heard it? Known when the slowest link must have delivered it. */
  #followFarewell(account: Account): void {
    const { node, segment, worldMs } = account;
    const { network, queue } = node.around;
    const others = this.#accounts[segment]!.filter((other) => other !== account);
    const links = others.map((other) => network.link(segment, node.station, other.node.station));
    const slowest = Math.max(...links.map((link) => link.delayMs + link.jitterMs));
    queue.after(slowest + 1, () => {
      if (links.some((link) => link.lastLossMs >= worldMs)) this.#farewellLost = true;
    });
  }

  /** Members of a sync group follow one another: one good reason is enough for all. */
  #judgeTakeover(accounts: readonly Account[], step: Step): void {
    const tooEarly: Early[] = [];
    for (const change of step.changes) {
      const account = accounts.find((a) => a.instance === change.instance)!;
      const early = judgeChange(account, change);
      if (early !== undefined) tooEarly.push(early);
      if (change.to === "MASTER") judgeOverlap(account, this.#accounts[account.segment]!);
    }
    const first = tooEarly[0];
    if (first === undefined || tooEarly.length < step.changes.length) return;
    bite(first.oracle, accounts[0]!, first.why);
  }

  #judgePace(node: Node): void {
    const ms = Math.floor(node.around.queue.now);
    const pace = this.#pace.get(node) ?? { ms, steps: 0 };
    this.#pace.set(node, pace);
    if (pace.ms !== ms) pace.steps = 0;
    pace.ms = ms;
    if (++pace.steps <= MAX_STEPS_PER_MS || node.around.muted.has("machine-sound")) return;
    throw new Violation("machine-sound", ms, `${node.name}: ${pace.steps} steps within a ms`);
  }
}

function noteSent(account: Account, priority: number): void {
  if (priority === 0) return;
  account.lastSentMs = account.node.localMs;
  account.lastSentWorldMs = account.worldMs;
  account.lastSentPriority = priority;
}

/** What the process has been told by this step's input. */
function learn(account: Account, step: Step, before: Account["state"]): void {
  const { input, node } = step;
  if (input.type === "datagram-received" && (before === "BACKUP" || before === "MASTER")) {
    const advert = account.believable(input.datagram);
    if (advert !== undefined) account.hear(advert, input.datagram);
  }
  if (input.type === "interface-changed" && input.interface === `eth${account.segment}`) {
    account.linkDown = !input.up;
  }
  if (input.type === "witness-changed" && input.address === account.witness) {
    if (input.reachable) account.failedTracks.delete("witness");
    else account.failedTracks.add("witness");
  }
  if (input.type === "track-changed") {
    const track = node.plan.tracks.find((t) => t.name === input.name);
    if (track?.weight === 0 && input.ok === track.reverse) account.failedTracks.add(input.name);
    else account.failedTracks.delete(input.name);
  }
  for (const action of step.actions) {
    if (action.type !== "report" || action.event.instance !== account.instance) continue;
    const { kind } = action.event;
    if (kind === "starved" || kind === "address-fought-over") {
      account.heldBackUntilMs = step.localMs + HOLD_MS;
    }
  }
  if (before !== "MASTER") return;
  if (input.type === "acquire-failed") account.heldBackUntilMs = step.localMs + HOLD_MS;
  if (input.type === "handover-requested") account.heldBackUntilMs = Infinity;
}

function judgeStop(accounts: readonly Account[], step: Step, before: readonly string[]): void {
  if (step.performed < step.actions.length) return;
  for (const [i, account] of accounts.entries()) {
    if (before[i] !== "MASTER" || account.linkDown) continue;
    const resigned = step.actions.some(
      (a) => a.type === "send-datagram" && a.instance === account.instance && sentPriority(a) === 0,
    );
    if (!resigned) bite("resign-on-stop", account, "ends as MASTER without a resignation");
  }
}
