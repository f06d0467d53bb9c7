/** What must hold inside one step of one router: orders, form, and what the step answers to. */

import { sameValue } from "../core/vrrp/reload.ts";
import type { ReceivedDatagram, RouterAction } from "../core/vrrp/router-ports.ts";
import { parseIp, compareBytes } from "../lib/ip-address.ts";
import type { Account } from "./account.ts";
import { readAdvert, sentFrame, type ReadAdvert } from "./advert-reader.ts";
import { highestPriority, skewMs } from "./scenario.ts";
import { Violation, type OracleName } from "./violation.ts";
import type { StateChange, Step } from "./watch.ts";

type SendAction = Extract<RouterAction, { type: "send-datagram" }>;

/** Two clocks and a division may round this much apart. */
const EPSILON_MS = 0.01;

export function bite(oracle: OracleName, account: Account, message: string): void {
  const { node, instance, worldMs } = account;
  if (node.around.muted.has(oracle)) return;
  throw new Violation(oracle, worldMs, `${node.name}/${instance}: ${message}`);
}

/** Before each action, while the kernel is as the actions before it left it. */
export function judgeAction(
  account: Account,
  actions: readonly RouterAction[],
  index: number,
): void {
  const action = actions[index]!;
  const { kernel } = account.node;
  if (action.type === "send-datagram") {
    const advert = judgeForm(account, action);
    if (advert?.priority === 0) {
      if (kernel.holdsAny(account.instance)) {
        bite("release-before-resign", account, "resigns while it still holds the addresses");
      }
    } else judgePromise(account, actions, index);
  }
  if (action.type === "renew-lease") judgeLease(account, action.durationMs);
  if (action.type === "release-addresses") account.reignSettings = undefined;
  if (action.type === "prepare-addresses") judgePreparation(account);
  if (action.type === "announce" && !kernel.holdsAny(account.instance) && !account.excused) {
    bite("announce-what-is-held", account, "announces addresses that its kernel does not hold");
  }
}

function judgeForm(account: Account, action: SendAction): ReadAdvert | undefined {
  const { source } = action;
  const advert = readAdvert(sentFrame(action), account.trailer);
  const wrong = (what: string): void => bite("well-formed", account, `sends ${what}`);
  if (advert === undefined) {
    wrong("a datagram that is no advert");
    return undefined;
  }
  if (!advert.sound) wrong("an advert that its peers must drop");
  if (action.length > action.payload.length) wrong("more bytes than the payload has");
  if (source !== account.ownAddress) wrong(`from ${source}, not from its own address`);
  const { plan, around } = account.node;
  if (advert.version !== around.scenario.group.version) wrong(`version ${advert.version}`);
  // A loser that has released names the winner's interval, so that nobody learns its own.
  const leaving = !account.node.kernel.holdsAny(account.instance);
  if (advert.intervalMs !== plan.intervalMs && !leaving) {
    wrong(`interval ${advert.intervalMs} ms`);
  }
  if (advert.addressCount !== account.addresses.length) wrong(`${advert.addressCount} addresses`);
  if (advert.priority > highestPriority(plan)) wrong(`priority ${advert.priority}`);
  return advert;
}

/** An advert lets others believe in us: the kernel's lease is renewed first, or we are leaving. */
function judgePromise(account: Account, actions: readonly RouterAction[], index: number): void {
  if (!account.node.around.scenario.group.lease) return;
  const same = (action: RouterAction): boolean =>
    "instance" in action && action.instance === account.instance;
  const renewed = actions.slice(0, index).some((a) => a.type === "renew-lease" && same(a));
  const leaving = actions.some((a) => a.type === "release-addresses" && same(a));
  if (!renewed && !leaving) {
    bite("lease-before-advert", account, "promises to live on before it renewed its lease");
  }
}

function judgeLease(account: Account, durationMs: number): void {
  const { plan, around } = account.node;
  const longest = around.scenario.group.downTimerAdverts * plan.intervalMs;
  if (!(durationMs > 0) || durationMs > longest + EPSILON_MS) {
    bite("well-formed", account, `lease of ${durationMs} ms; peers wait ${longest} ms and a skew`);
  }
  account.renewedMs = account.node.localMs;
  account.reignSettings = account.node.process?.settings;
}

/** Whose master is heard has its addresses in the kernel for nothing, and out of its own reach. */
function judgePreparation(account: Account): void {
  const { lastHeard: heard, node } = account;
  const { downTimerAdverts } = node.around.scenario.group;
  if (account.state !== "BACKUP") {
    bite("state-matches-kernel", account, `gets addresses ready as ${account.state}`);
  }
  if (heard === undefined || node.around.scenario.group.authentication === "ah") return;
  const waited = node.localMs - heard.localMs;
  if (waited >= downTimerAdverts * heard.intervalMs - EPSILON_MS) return;
  bite(
    "state-matches-kernel",
    account,
    `gets addresses ready ${waited.toFixed(2)} ms after an advert`,
  );
}

/**
 * A fresh process that is master without an election goes on where another stopped: with the
 * same configuration, before the lease has ended, and only if that one had not given up.
 */
function judgeResume(account: Account): void {
  const { plan, around, localMs } = account.node;
  if (plan.priority === 255) return;
  const { settings, renewedMs = -Infinity } = account.inherited ?? {};
  const wrong = (what: string): void => bite("resume-is-a-pause", account, `goes on ${what}`);
  if (settings === undefined) return wrong("although nobody before it was master");
  // A reload while it waits takes nothing from it, as from any master.
  if (!sameValue(settings, account.node.process?.firstSettings))
    return wrong("with another configuration");
  const leaseMs = around.scenario.group.downTimerAdverts * plan.intervalMs;
  const late = localMs - renewedMs - leaseMs;
  if (late > EPSILON_MS) wrong(`${late.toFixed(1)} ms after its lease has ended`);
}

/**
 * It holds what the process before it held, and may go on with it. When the lease ends the kernel
 * answers for it no more; it lets go as soon as its timer fires, whatever it hears before that.
 */
function waitsToResume({ node, instance, state }: Account, { input }: Step): boolean {
  const reign = node.kernel.reigns.find((r) => r.instance === instance);
  if (state !== "INIT" || reign === undefined) return false;
  const isDue = input.type === "started" || input.type === "woken";
  return !isDue || node.localMs <= reign.leaseUntilMs;
}

export interface Early {
  readonly oracle: OracleName;
  readonly why: string;
}

/** After the step, while `account` still shows the state before it. */
export function judgeChange(account: Account, change: StateChange): Early | undefined {
  if (change.from === "INIT" && change.to === "MASTER") judgeResume(account);
  if (change.from !== "BACKUP" || change.to !== "MASTER") return undefined;
  const early = earlyBy(account);
  if (early !== undefined) return { oracle: "no-early-takeover", why: early };
  const impatient = impatience(account);
  return impatient === undefined ? undefined : { oracle: "preempt-delay-kept", why: impatient };
}

/** Why this take-over comes too soon, or undefined. */
function earlyBy(account: Account): string | undefined {
  const { node, lastHeard: heard } = account;
  const { version, downTimerAdverts, fastHandover } = node.around.scenario.group;
  const highest = highestPriority(node.plan);
  if (highest === 255 || heard === undefined) return undefined;
  // The last advert heard need not be that of the master whose interval was learned.
  const quickest = Math.min(...node.around.scenario.nodes.map((n) => n.intervalMs));
  const skew = skewMs(version, highest, quickest);
  if (account.lastZeroMs >= heard.localMs) {
    const waited = node.localMs - account.lastZeroMs;
    const least = fastHandover ? skew / 8 : skew;
    if (waited >= least - EPSILON_MS) return undefined;
    return `took over ${waited.toFixed(2)} ms after a resignation, skew ${skew.toFixed(2)}`;
  }
  if (!account.mustRespect(heard.priority)) return undefined;
  // What AH dropped as a replay looks heard from here.
  if (node.around.scenario.group.authentication === "ah") return undefined;
  const waited = node.localMs - heard.localMs;
  const least = downTimerAdverts * heard.intervalMs + skewMs(version, highest, heard.intervalMs);
  if (waited >= least - EPSILON_MS) return undefined;
  return `took over ${waited.toFixed(2)} ms after ${heard.source} was heard, must wait ${least}`;
}

function impatience(account: Account): string | undefined {
  const { node, lastHeard: heard } = account;
  const { plan } = node;
  if (heard === undefined || plan.preemptDelayMs === 0 || !plan.preempt || plan.priority === 255) {
    return undefined;
  }
  const alive = node.localMs - heard.localMs < heard.intervalMs * 2;
  if (!alive || account.lastZeroMs >= heard.localMs) return undefined;
  if (account.lowerSinceMs === Infinity) return undefined; // no lower master was heard since
  const waited = node.localMs - account.lowerSinceMs;
  if (!(waited < plan.preemptDelayMs - EPSILON_MS)) return undefined;
  return `preempted after ${waited.toFixed(1)} ms, delay is ${plan.preemptDelayMs}`;
}

/** After the step and its state changes. */
export function judgeOutcome(account: Account, step: Step, wasMaster: boolean): void {
  const { node, instance } = account;
  if (step.performed < step.actions.length) return;
  if (step.input.type === "datagram-received") {
    judgeHearing(account, step.input.datagram, wasMaster);
  }
  const holds = node.kernel.holdsAny(instance);
  if (account.addresses.every((a) => node.kernel.holds(instance, a))) account.excused = false;
  if (account.state !== "MASTER" && holds && !waitsToResume(account, step)) {
    bite("state-matches-kernel", account, `is ${account.state} and holds addresses`);
  }
  if (account.state !== "BACKUP" && node.kernel.isPrepared(instance)) {
    bite("state-matches-kernel", account, `is ${account.state} and has addresses in waiting`);
  }
  if (account.state === "MASTER" && !account.excused) {
    const missing = account.addresses.filter((a) => !node.kernel.holds(instance, a));
    if (missing.length > 0) {
      bite("state-matches-kernel", account, `is MASTER without ${missing.join(", ")}`);
    }
  }
  if (account.state === "MASTER" && account.failedTracks.size > 0) {
    bite("failure-yields", account, `stays MASTER though ${[...account.failedTracks][0]} failed`);
  }
  if (account.state === "MASTER" && account.linkDown) {
    bite("failure-yields", account, "stays MASTER without a link");
  }
}

/** What no instance of the node may believe moves nothing but a counter. */
export function judgeGarbage(accounts: readonly Account[], step: Step): void {
  if (step.input.type !== "datagram-received") return;
  const { datagram } = step.input;
  if (accounts.some((account) => account.believable(datagram) !== undefined)) return;
  const said = step.actions.find((action) => action.type !== "report");
  if (said === undefined && step.changes.length === 0) return;
  const what = said?.type ?? "a change of state";
  bite("garbage-ignored", accounts[0]!, `answers ${what} to what it must not believe`);
}

/** A reload that an instance can take over while it runs moves no address and no state. */
export function judgeReload(accounts: readonly Account[], step: Step): void {
  if (step.input.type !== "reconfigured" || step.input.restarts) return;
  // What a backup has got ready answers nobody yet.
  const isHeld = (name: string): boolean =>
    accounts.some((one) => one.instance === name && one.state !== "BACKUP");
  const moved = step.actions.find(
    (a) =>
      (a.type === "release-addresses" && isHeld(a.instance)) ||
      a.type === "send-datagram" ||
      a.type === "announce",
  );
  if (moved === undefined && step.changes.length === 0) return;
  bite("hitless-reload", accounts[0]!, `${moved?.type ?? "a change of state"} at a reload`);
}

function judgeHearing(account: Account, datagram: ReceivedDatagram, wasMaster: boolean): void {
  const advert = account.believable(datagram);
  if (advert === undefined) return;
  if (!wasMaster && account.node.kernel.isPrepared(account.instance)) {
    bite("state-matches-kernel", account, "heard a master and has addresses in waiting");
  }
  if (wasMaster && account.state === "MASTER" && outranks(account, advert, datagram.source)) {
    bite("outranked-yields", account, `stays MASTER beside priority ${advert.priority}`);
  }
}

function outranks(account: Account, advert: ReadAdvert, source: string): boolean {
  const highest = highestPriority(account.node.plan);
  if (advert.priority !== highest) return advert.priority > highest;
  return compareBytes(parseIp(source)!, parseIp(account.ownAddress)!) > 0;
}
