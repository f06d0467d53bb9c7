/**
 * A seed becomes a scenario. Each seed switches most features and faults off and a few on, and
 * draws how strong they are: bugs hide where one fault masks another, and a swarm of lopsided
 * runs finds them sooner than many runs of everything at once.
 */

import { Prng } from "../lib/prng.ts";
import {
  faultKinds,
  type Fault,
  type FaultKind,
  type GroupPlan,
  type NodePlan,
  type Scenario,
  type TrackPlan,
} from "./scenario.ts";

/** Kinds after which a client may be left with a stale entry that only a refresh mends: the
 *  winner of a split cannot know of a loser that nobody heard leave. */
const deafening: readonly FaultKind[] = [
  "cut",
  "isolate",
  "one-way-cut",
  "block-multicast",
  "loss",
  "torn-crash",
  "claim-address",
  "freeze",
];
/** Without a lease a stopped master wakes as master, whoever came and went meanwhile. */
const deafeningWithoutLease: readonly FaultKind[] = ["pause", "starve"];
/** What may be added to a clean split without hiding its end from the winner. */
const besideCut: readonly FaultKind[] = [
  "cut",
  "duplicate",
  "slow-link",
  "step-wall-clock",
  "forge",
  "freeze",
];

const plainOrHmac = ["none", "none", "none", "none", "hmac"] as const;
/** Against authentication with a memory of sequences these are attacks, not accidents. */
const againstSequence: readonly FaultKind[] = ["duplicate", "slow-link", "step-wall-clock"];

export function drawScenario(seed: number): Scenario {
  const prng = new Prng(Math.imul(seed, 0x9e3779b1) ^ 0x5eed);
  const group = drawGroup(prng);
  const baseMs = group.version === 2 ? 1000 : prng.pick([10, 20, 50, 100, 100, 200, 500, 1000]);
  const mixed = group.version === 3 && prng.chance(0.3);
  const intervals = Array.from({ length: prng.pick([2, 2, 2, 3, 3, 4, 5]) }, () =>
    mixed ? Math.min(5000, baseMs * prng.pick([1, 1, 2, 3, 5])) : baseMs,
  );
  const slowest = Math.max(...intervals);
  const quickest = Math.min(...intervals);
  // AH numbers its packets by the wall clock, which something like NTP keeps.
  const disciplined = group.authentication === "ah";
  const nodes = drawNodes(prng, intervals).map((n) => (disciplined ? { ...n, drift: 0 } : n));
  const refreshMs = prng.chance(0.6) ? slowest * prng.between(2, 5) : 0;
  const chaosMs = slowest * prng.between(6, 18);
  const sequenced = group.authentication === "ah" || group.authentication === "hmac";
  const drawn = drawKinds(prng, refreshMs > 0, group.lease);
  const kinds = sequenced ? drawn.filter((kind) => !againstSequence.includes(kind)) : drawn;
  return {
    seed,
    group: { ...group, announceRefreshMs: refreshMs },
    nodes,
    clients: prng.between(1, 2),
    clientCacheMs: prng.pick([30_000, 600_000, 14_400_000]),
    link: {
      delayMs: prng.fraction() * Math.min(2, quickest * 0.08) + 0.01,
      jitterMs: sequenced ? 0 : prng.fraction() * Math.min(3, quickest * 0.1),
    },
    timerLatenessMs: 0.01 + prng.fraction() * Math.min(1, quickest * 0.02),
    chaosMs,
    faults: drawFaults(prng, { kinds, chaosMs, slowest, nodes }),
  };
}

function drawGroup(prng: Prng): GroupPlan {
  const version = prng.chance(0.2) ? 2 : 3;
  return {
    version,
    family: version === 3 && prng.chance(0.35) ? "ipv6" : "ipv4",
    unicast: prng.chance(0.3),
    instances: prng.chance(0.2) ? 2 : 1,
    addresses: prng.pick([1, 1, 2, 3]),
    authentication: version === 2 ? prng.pick(["none", "pass", "ah"]) : prng.pick(plainOrHmac),
    witness: prng.chance(0.1),
    checksumWithPseudoHeader: prng.chance(0.8),
    downTimerAdverts: prng.pick([3, 3, 3, 3, 2, 5]),
    lease: prng.chance(0.85),
    fastHandover: prng.chance(0.7),
    announceRefreshMs: 0,
  };
}

function drawNodes(prng: Prng, intervals: readonly number[]): NodePlan[] {
  const style = prng.pick(["spread", "spread", "equal", "close", "owner"]);
  const allPreempt = prng.chance(0.5);
  const drifting = prng.chance(0.4);
  const hosts = shuffled(prng, [11, 12, 13, 14, 15]);
  const slowest = Math.max(...intervals);
  const withDelay = prng.chance(0.2);
  const withTracks = prng.chance(0.5);
  return intervals.map((intervalMs, i) => {
    const owner = style === "owner" && i === 0;
    const preempt = owner || allPreempt || prng.chance(0.4);
    return {
      name: `n${i + 1}`,
      hostNumber: hosts[i]!,
      priority: owner ? 255 : drawPriority(prng, style),
      intervalMs,
      preempt,
      preemptDelayMs: preempt && !owner && withDelay ? slowest * prng.between(1, 6) : 0,
      startAsMaster: owner || (preempt && prng.chance(0.2)),
      startupDelayMs: prng.chance(0.1) ? slowest * prng.between(1, 4) : 0,
      tracks: withTracks ? drawTracks(prng, owner) : [],
      drift: drifting ? (prng.fraction() - 0.5) * 0.02 : 0,
      bootAtMs: prng.chance(0.3) ? 0 : prng.fraction() * slowest * 6,
      restoreRemovedAddresses: prng.chance(0.8),
      otherPriority: owner ? 0 : prng.between(1, 254),
      firstVerdictsMs: prng.chance(0.3) ? prng.fraction() * 3 * intervalMs : 0,
    };
  });
}

function drawPriority(prng: Prng, style: string): number {
  if (style === "equal") return 100;
  if (style === "close") return prng.between(100, 103);
  return prng.between(1, 254);
}

function drawTracks(prng: Prng, owner: boolean): TrackPlan[] {
  return Array.from({ length: prng.between(0, 2) }, (_, i) => {
    const weight = owner || prng.chance(0.4) ? 0 : prng.between(5, 60) * prng.pick([1, -1]);
    return { name: `t${i + 1}`, weight, reverse: prng.chance(0.2) };
  });
}

function drawKinds(prng: Prng, refreshed: boolean, lease: boolean): FaultKind[] {
  let possible: readonly FaultKind[] = faultKinds;
  if (!refreshed) {
    const split = prng.chance(0.5);
    const unsafe = lease ? deafening : [...deafening, ...deafeningWithoutLease];
    possible = split ? besideCut : faultKinds.filter((kind) => !unsafe.includes(kind));
    if (split) return ["cut", prng.pick(possible)];
  }
  const kinds = Array.from({ length: prng.between(1, 4) }, () => prng.pick(possible));
  // Forged packets disturb nobody who checks them, so they may accompany anything.
  return prng.chance(0.2) ? [...kinds, "forge"] : kinds;
}

function drawFaults(
  prng: Prng,
  frame: {
    readonly kinds: readonly FaultKind[];
    readonly chaosMs: number;
    readonly slowest: number;
    readonly nodes: readonly NodePlan[];
  },
): Fault[] {
  const { kinds, chaosMs, slowest, nodes } = frame;
  if (kinds.length === 0) return [];
  const faults = Array.from({ length: prng.between(1, 8) }, (): Fault => {
    const node = prng.between(0, nodes.length - 1);
    return {
      kind: prng.pick(kinds),
      atMs: prng.fraction() * chaosMs * 0.9,
      durationMs: prng.fraction() * prng.pick([1, 5, 12]) * slowest,
      node,
      hitsOwner: prng.chance(0.5),
      other: (node + prng.between(1, nodes.length - 1)) % nodes.length,
      strength: prng.fraction(),
    };
  });
  return faults.sort((a, b) => a.atMs - b.atMs);
}

function shuffled(prng: Prng, items: readonly number[]): number[] {
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = prng.between(0, i);
    [mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!];
  }
  return mixed;
}
