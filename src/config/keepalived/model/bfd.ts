/** One `bfd_instance` block. */

import type { BfdSettings } from "../../../core/vrrp/settings.ts";
import { isIpv6 } from "../../../lib/ip-address.ts";
import type { Block } from "../block.ts";
import { type Context, readAddress } from "./context.ts";
import { optional } from "./route-lines.ts";

/** Intervals are milliseconds with fractions, unlike every other time of the language. */
const INTERVALS = {
  min_rx: { standard: 10, least: 1, most: 60_000 },
  min_tx: { standard: 10, least: 1, most: 60_000 },
  idle_tx: { standard: 1000, least: 1, most: 60_000 },
} as const;

/** RFC 5881 section 5 wants 255 of both families. */
const TTL = 255;

/** One session for a neighbour: packets tell sessions apart by where they come from. */
export function readBfds(blocks: readonly Block[], context: Context): BfdSettings[] {
  const seen = new Map<string, string>();
  return blocks.flatMap((block) => {
    const [session] = readBfd(block, context);
    if (session === undefined) return [];
    const other = seen.get(session.neighbour);
    seen.set(session.neighbour, session.name);
    if (other === undefined) return [session];
    const reason = `bfd_instance ${other} has the neighbour ${session.neighbour} already`;
    context.findings.error(block.statement.args[0]!, reason, `track ${other} instead`);
    return [];
  });
}

/** Empty: it says nothing of use, and that was told. */
function readBfd(block: Block, context: Context): BfdSettings[] {
  const { findings } = context;
  const neighbour = addressOf(block, ["neighbor_ip", "neighbour_ip"], context);
  const source = addressOf(block, ["source_ip"], context);
  const weight = block.weight("weight");
  const settings = {
    minRxMs: intervalOf(block, "min_rx", context),
    minTxMs: intervalOf(block, "min_tx", context),
    idleTxMs: intervalOf(block, "idle_tx", context),
  };
  if (neighbour === undefined) {
    if (!block.has("neighbor_ip") && !block.has("neighbour_ip")) {
      const next = "add: neighbor_ip ADDRESS";
      findings.error(block.statement.keyword, `${block.title} has no neighbour`, next);
    }
    return [];
  }
  if (source !== undefined && isIpv6(source) !== isIpv6(neighbour)) {
    const reason = `source_ip ${source} and neighbor_ip ${neighbour} are of two families`;
    findings.error(block.at("source_ip"), reason, "give both as IPv4, or both as IPv6");
  }
  const hops = isIpv6(neighbour) ? block.number("hoplimit") : block.number("ttl");
  return [
    {
      name: block.name,
      neighbour,
      ...optional("source", source),
      ...settings,
      multiplier: block.number("multiplier") ?? 5,
      passive: block.has("passive"),
      ttl: hops ?? TTL,
      maxHops: block.number("max_hops") ?? 0,
      weight: weight?.weight ?? 0,
      reverse: weight?.reverse ?? false,
    },
  ];
}

function addressOf(block: Block, names: readonly string[], context: Context): string | undefined {
  const name = names.find((one) => block.has(one));
  const word = name === undefined ? undefined : block.word(name);
  return name === undefined || word === undefined
    ? undefined
    : readAddress(word, name, context.findings);
}

function intervalOf(block: Block, name: keyof typeof INTERVALS, context: Context): number {
  const { standard, least, most } = INTERVALS[name];
  const word = block.word(name);
  const value = Number(word?.text ?? standard);
  if (value >= least && value <= most) return value;
  const reason = `${name} must be ${least} to ${most} milliseconds, not '${word?.text}'`;
  context.findings.error(word!, reason, `e.g. ${name} 50`);
  return standard;
}
