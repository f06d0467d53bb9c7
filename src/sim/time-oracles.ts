/** What must hold between the steps, judged after every event: ownership, leases, rhythm. */

import { RETRY_WITHIN_MS } from "../core/vrrp/acquire-backoff.ts";
import type { Account } from "./account.ts";
import { DRIFT_MARGIN, longestDownMs, slowestIntervalMs, type Scenario } from "./scenario.ts";
import { bite } from "./step-oracles.ts";

/**
 * Two owners that can hear each other. The higher one sends within its own interval, whatever
 * the other's is; the lower one hears it one link delay later and leaves in that very step. So
 * one interval and one delay after both the second owner appeared and the last frame between
 * them got lost, nobody has an excuse. A cut in one direction shows as lost frames: it is not
 * connectivity, and no bound holds while it lasts.
 */
export class PairOracle {
  readonly #sinceMs = new Map<string, number>();

  judge(owners: readonly Account[]): void {
    if (owners.length < 2 && this.#sinceMs.size === 0) return;
    const seen = new Set<string>();
    for (const [i, a] of owners.entries()) {
      for (const b of owners.slice(i + 1)) {
        // After a crash of both: neither advertises before it goes on or lets go.
        if (isSilentHeir(a) && isSilentHeir(b)) continue;
        const key = `${a.instance}/${a.node.index}/${b.node.index}`;
        seen.add(key);
        this.#judgePair(a, b, key);
      }
    }
    for (const key of this.#sinceMs.keys()) {
      if (!seen.has(key) && key.startsWith(owners[0]?.instance ?? "")) this.#sinceMs.delete(key);
    }
  }

  #judgePair(a: Account, b: Account, key: string): void {
    const now = a.worldMs;
    const began = this.#sinceMs.get(key) ?? now;
    this.#sinceMs.set(key, began);
    if (!a.running || !b.running) return;
    const { network, scenario } = a.node.around;
    const there = network.link(a.segment, a.node.station, b.node.station);
    const back = network.link(a.segment, b.node.station, a.node.station);
    const clean = Math.max(there.lastLossMs, back.lastLossMs, a.disturbedAtMs, b.disturbedAtMs);
    const delay = Math.max(there.delayMs + there.jitterMs, back.delayMs + back.jitterMs);
    const interval = Math.max(a.node.plan.intervalMs, b.node.plan.intervalMs);
    const bound = (interval + delay + 4 * scenario.timerLatenessMs) * DRIFT_MARGIN + 1;
    if (now - Math.max(began, clean) <= bound) return;
    const both = `${a.node.name} and ${b.node.name}`;
    bite("no-two-owners", a, `${both} answer together since ${began.toFixed(1)} ms`);
  }
}

/**
 * A process that does not run cannot see that it lost: the kernel must end its ownership. The
 * lease began before its last advert, so it ends before a backup that heard it may take over.
 */
export function judgeStalled(account: Account): void {
  const { scenario } = account.node.around;
  if (account.running || !scenario.group.lease || !account.answersAny) return;
  const longest = scenario.group.downTimerAdverts * account.node.plan.intervalMs;
  const since = account.node.localMs - account.stalledAtMs;
  if (since <= longest + 1) return;
  bite("no-stale-lease", account, `answers ${since.toFixed(1)} ms after its process stopped`);
}

/** A take-over by timeout, while the stalled master whose last advert was heard still answers. */
export function judgeOverlap(winner: Account, others: readonly Account[]): void {
  const { node, lastHeard: heard } = winner;
  const { scenario, network } = node.around;
  if (!scenario.group.lease || heard === undefined || winner.lastZeroMs > heard.localMs) return;
  // AH drops the first adverts of a sender that crashed and was back within a tick of its clock.
  if (scenario.group.authentication === "ah") return;
  if (!winner.mustRespect(heard.priority)) return;
  for (const other of others) {
    if (other === winner || other.running || !other.answersAny) continue;
    if (other.ownAddress !== heard.source) continue;
    if (other.torn || other.frozeAtMs >= other.lastSentWorldMs) continue;
    const link = network.link(winner.segment, other.node.station, node.station);
    if (link.lastLossMs >= other.lastSentWorldMs || !other.reachable) continue;
    // Its last advert is still under way.
    if (heard.worldMs < other.lastSentWorldMs) continue;
    const { kernel, clock } = other.node;
    const left = clock.world(kernel.leaseUntil(other.instance)) - winner.worldMs;
    // Two clocks, one two percent faster than the other, over the whole silence.
    if (left <= longestDownMs(scenario) * 2 * (DRIFT_MARGIN - 1)) continue;
    bite(
      "no-stale-lease",
      winner,
      `takes over ${left.toFixed(1)} ms before ${heard.source} lapses`,
    );
  }
}

/** A running master sends every interval; a running backup that hears nobody takes over. */
export function judgeRhythm(account: Account): void {
  if (!account.running) return;
  const { node } = account;
  const { scenario } = node.around;
  const localMs = node.localMs;
  const late = 4 * scenario.timerLatenessMs + 1;
  const settled = (account.worldMs - account.disturbedAtMs) * DRIFT_MARGIN;
  if (account.state === "MASTER") {
    const gap = Math.min(localMs - account.lastSentMs, settled);
    if (gap <= node.plan.intervalMs + late) return;
    bite("advert-rhythm", account, `MASTER without an advert for ${gap.toFixed(1)} ms`);
  }
  if (account.state !== "BACKUP" || scenario.group.instances > 1) return;
  const heard = Math.max(account.lastHeard?.localMs ?? 0, account.stateSinceMs);
  const resigned = account.lastZeroMs > heard;
  const began = Math.max(
    resigned ? account.lastZeroMs : heard,
    account.startedMs + startup(account),
  );
  const silence = Math.min(localMs - began, settled);
  // After a resignation one skew, shorter than any interval; else the whole silence.
  const protocol = resigned ? longestSkewMs(scenario) : longestDownMs(scenario);
  // Whoever was refused by its kernel tries again with back-off.
  const isRefused = wasRefused(account, late);
  const longest = isRefused ? Math.max(protocol, RETRY_WITHIN_MS) : protocol;
  if (silence <= longest + late) return;
  const what = resigned ? "a resignation" : "silence";
  bite("no-late-takeover", account, `BACKUP ${silence.toFixed(1)} ms after ${what}`);
}

/** So does a sync group, when none of its members has heard anybody for that long. */
export function judgeGroupRhythm(members: readonly Account[]): void {
  const [first] = members;
  if (first === undefined || members.length < 2) return;
  if (!members.every((one) => one.running && one.state === "BACKUP")) return;
  const { scenario } = first.node.around;
  const lastMs = Math.max(...members.map(lastWordMs));
  const settledMs = Math.min(...members.map((one) => one.worldMs - one.disturbedAtMs));
  const silence = Math.min(first.node.localMs - lastMs, settledMs * DRIFT_MARGIN);
  // A group that made way for another one keeps apart from it by less than an interval.
  const longest = longestDownMs(scenario) + slowestIntervalMs(scenario);
  const late = 4 * scenario.timerLatenessMs + 1;
  const isRefused = members.some((one) => wasRefused(one, late));
  if (silence <= (isRefused ? Math.max(longest, RETRY_WITHIN_MS) : longest) + late) return;
  bite("no-late-takeover", first, `group in BACKUP ${silence.toFixed(1)} ms after silence`);
}

function wasRefused(account: Account, late: number): boolean {
  return account.stateSinceMs - account.refusedAtMs <= late;
}

function lastWordMs(one: Account): number {
  const heardMs = Math.max(one.lastHeard?.localMs ?? 0, one.lastZeroMs);
  return Math.max(heardMs, one.stateSinceMs, one.startedMs + startup(one));
}

function startup(account: Account): number {
  return account.node.plan.startupDelayMs;
}

function longestSkewMs(scenario: Scenario): number {
  return scenario.group.version === 2 ? 1000 : slowestIntervalMs(scenario);
}

/** Holds what the process before it held, and has not gone on with it yet. */
function isSilentHeir({ state, inherited }: Account): boolean {
  return state === "INIT" && inherited?.settings !== undefined;
}
