/** A scenario in words, for whoever has to understand a failing seed. */

import { describeFault } from "./faults.ts";
import type { NodePlan, Scenario } from "./scenario.ts";

export function tell(scenario: Scenario): string {
  const { group } = scenario;
  const transport = group.unicast ? "unicast" : "multicast";
  const traits = [
    `VRRPv${group.version} ${group.family} ${transport}`,
    `${group.addresses} address${group.addresses > 1 ? "es" : ""}`,
    group.instances > 1 ? "sync group of 2" : "",
    group.authentication === "none" ? "" : group.authentication,
    group.witness ? "witness" : "",
    group.lease ? "lease" : "no lease",
    group.fastHandover ? "fast hand-over" : "",
    group.downTimerAdverts === 3 ? "" : `${group.downTimerAdverts} lost adverts`,
    group.announceRefreshMs > 0 ? `refresh ${group.announceRefreshMs} ms` : "",
  ];
  const faults = scenario.faults.map((fault) => {
    const node = fault.hitsOwner ? "the owner" : (scenario.nodes[fault.node]?.name ?? "?");
    const what = describeFault(fault, node);
    return `  +${fault.atMs.toFixed(1).padStart(8)} ms  ${what}`;
  });
  return [
    traits.filter((trait) => trait !== "").join(", "),
    ...scenario.nodes.map((node) => `  ${tellNode(node)}`),
    `chaos of ${scenario.chaosMs.toFixed(1)} ms, ${faults.length} faults`,
    ...faults,
  ].join("\n");
}

function tellNode(node: NodePlan): string {
  const tracks = node.tracks.map(
    (t) => `${t.name}${t.weight === 0 ? "" : ` weight ${t.weight}`}${t.reverse ? " reverse" : ""}`,
  );
  const traits = [
    `${node.name} (.${node.hostNumber}) priority ${node.priority}`,
    `every ${node.intervalMs} ms`,
    node.preempt ? "" : "nopreempt",
    node.preemptDelayMs > 0 ? `preempt delay ${node.preemptDelayMs} ms` : "",
    node.startAsMaster ? "state MASTER" : "",
    node.startupDelayMs > 0 ? `startup delay ${node.startupDelayMs} ms` : "",
    node.drift === 0 ? "" : `clock ${(node.drift * 100).toFixed(2)} %`,
    tracks.length > 0 ? `tracks ${tracks.join(", ")}` : "",
    `boots at ${node.bootAtMs.toFixed(0)} ms`,
  ];
  return traits.filter((trait) => trait !== "").join(", ");
}
