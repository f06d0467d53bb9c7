/**
 * Faults of a cable that need nftables. The rules stand in the wire's namespace at the switch's end
 * of the cable: the host can neither see nor remove them.
 */
import { run } from "./command.ts";

/** Seen from the host: `out` is what it sends, `in` what it gets. */
export type Direction = "in" | "out";

export interface Filter {
  /** Namespace of the bridges. */
  readonly wire: string;
  readonly port: string;
  readonly directions: readonly Direction[];
  /** Which packets are lost, in nft's words; empty = all. */
  readonly match: string;
}

/** Every fault's table is named so. */
export const FAULT_TABLE = "fault_";

/**
 * Loses packets until the returned function is called. Filters of one port add up.
 * Throws MissingTool when nft is not installed.
 */
export async function dropPackets(filter: Filter): Promise<() => Promise<void>> {
  const table = `${FAULT_TABLE}${process.pid}_${nextFault++}`;
  const chains = filter.directions.map((direction) => {
    // What the host sends enters the switch at its port.
    const hook = direction === "out" ? "ingress" : "egress";
    const base = `type filter hook ${hook} device "${filter.port}" priority 0; policy accept;`;
    return `chain ${direction} {\n${base}\n${filter.match} counter drop\n}`;
  });
  await nft(filter.wire, `table netdev ${table} {\n${chains.join("\n")}\n}`);
  return () => nft(filter.wire, `delete table netdev ${table}`);
}

let nextFault = 0;

async function nft(namespace: string, rules: string): Promise<void> {
  // First, so that a missing nft is told as that and not as nsenter's trouble.
  await run(["nft", "--version"]);
  const enter = ["nsenter", `--net=/run/netns/${namespace}`, "--"];
  await run([...enter, "nft", "-f", "-"], { input: `${rules}\n` });
}
