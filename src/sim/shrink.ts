/**
 * A failing scenario is cut until nothing can go: faults, then nodes, then everything that a
 * scenario may have or not. What still fails in the same way is the shortest story of the bug.
 */

import type { Fault, NodePlan, Scenario } from "./scenario.ts";
import type { OracleName } from "./violation.ts";

/** Which oracle bites, or undefined when the scenario passes. */
export type Judge = (scenario: Scenario) => OracleName | undefined;

export interface Shrunk {
  readonly scenario: Scenario;
  readonly runs: number;
}

/** Runs that one shrinking may take. */
const MAX_RUNS = 600;

export function shrink(scenario: Scenario, oracle: OracleName, judge: Judge): Shrunk {
  let best = scenario;
  let runs = 0;
  let improved = true;
  while (improved && runs < MAX_RUNS) {
    improved = false;
    for (const candidate of smaller(best)) {
      if (runs++ >= MAX_RUNS) break;
      if (judge(candidate) !== oracle) continue;
      best = candidate;
      improved = true;
      break;
    }
  }
  return { scenario: best, runs };
}

/** Simpler scenarios, the biggest cuts first. */
function* smaller(s: Scenario): Generator<Scenario> {
  if (s.faults.length > 3) {
    const half = s.faults.length >> 1;
    yield { ...s, faults: s.faults.slice(0, half) };
    yield { ...s, faults: s.faults.slice(half) };
  }
  for (let i = 0; i < s.faults.length; i++) yield { ...s, faults: s.faults.toSpliced(i, 1) };
  if (s.nodes.length > 2) {
    for (let i = 0; i < s.nodes.length; i++) yield withoutNode(s, i);
  }
  yield* plainer(s);
  const last = Math.max(0, ...s.faults.map((f) => f.atMs + f.durationMs));
  if (last < s.chaosMs * 0.9) yield { ...s, chaosMs: last };
  if (s.chaosMs > 1) yield { ...s, chaosMs: s.chaosMs / 2 };
  for (const [i, fault] of s.faults.entries()) {
    yield { ...s, faults: s.faults.with(i, { ...fault, durationMs: fault.durationMs / 2 }) };
  }
}

function* plainer(s: Scenario): Generator<Scenario> {
  const { group } = s;
  if (group.instances > 1) yield { ...s, group: { ...group, instances: 1 } };
  if (group.addresses > 1) yield { ...s, group: { ...group, addresses: 1 } };
  if (group.unicast) yield { ...s, group: { ...group, unicast: false } };
  if (group.family === "ipv6") yield { ...s, group: { ...group, family: "ipv4" } };
  if (group.authentication !== "none") {
    yield { ...s, group: { ...group, authentication: "none" } };
  }
  if (group.witness) yield { ...s, group: { ...group, witness: false } };
  if (group.downTimerAdverts !== 3) yield { ...s, group: { ...group, downTimerAdverts: 3 } };
  if (group.announceRefreshMs > 0) yield { ...s, group: { ...group, announceRefreshMs: 0 } };
  if (!group.checksumWithPseudoHeader) {
    yield { ...s, group: { ...group, checksumWithPseudoHeader: true } };
  }
  if (s.clients > 1) yield { ...s, clients: 1 };
  if (s.link.jitterMs > 0) yield { ...s, link: { ...s.link, jitterMs: 0 } };
  for (const [i, node] of s.nodes.entries()) {
    for (const plain of plainerNodes(node)) yield { ...s, nodes: s.nodes.with(i, plain) };
  }
}

function* plainerNodes(node: NodePlan): Generator<NodePlan> {
  for (let i = 0; i < node.tracks.length; i++) {
    yield { ...node, tracks: node.tracks.toSpliced(i, 1) };
  }
  if (node.drift !== 0) yield { ...node, drift: 0 };
  if (node.bootAtMs !== 0) yield { ...node, bootAtMs: 0 };
  if (node.startupDelayMs !== 0) yield { ...node, startupDelayMs: 0 };
  if (node.preemptDelayMs !== 0) yield { ...node, preemptDelayMs: 0 };
  if (node.startAsMaster && node.priority !== 255) yield { ...node, startAsMaster: false };
}

/** Faults name nodes by index: those of the removed one go, the others move up. */
function withoutNode(s: Scenario, index: number): Scenario {
  const moved = (i: number): number => (i > index ? i - 1 : i);
  const faults = s.faults
    .filter((fault) => fault.node !== index)
    .map((fault): Fault => {
      const node = moved(fault.node);
      const other = fault.other === index ? (node === 0 ? 1 : 0) : moved(fault.other);
      return { ...fault, node, other };
    });
  return { ...s, nodes: s.nodes.toSpliced(index, 1), faults };
}
