/**
 * A common cause becomes a part of its own, in series with its group: it fails with the share of a
 * copy's failures that hit all copies, and the copies keep the rest of them.
 */

import { type Block, EXPONENTIAL, mapBlocks, mapParts, type Part } from "./architecture.ts";
import { stateOf } from "./formulas.ts";

export const COMMON_CAUSE = " (common cause)";

/** No group of the answer has a common cause any more. */
export function withCommonCauses(block: Block): Block {
  return mapBlocks(block, (group) => {
    if (group.kind !== "copies" && group.kind !== "failover") return group;
    const { commonCause, ...rest } = group;
    if (commonCause === undefined || commonCause.share === 0) return rest;
    const { share, mttrMs } = commonCause;
    const { unavailability, failuresPerMs } = stateOf(group.of);
    const meanUpMs = failuresPerMs === 0 ? Infinity : (1 - unavailability) / failuresPerMs;
    const cause: Part = {
      name: `${group.name}${COMMON_CAUSE}`,
      mttfMs: meanUpMs / share,
      mttrMs,
      life: EXPONENTIAL,
      repair: EXPONENTIAL,
    };
    const own = (part: Part): Part =>
      share === 1 ? { ...part, mttfMs: Infinity } : { ...part, mttfMs: part.mttfMs / (1 - share) };
    const alone = { ...rest, of: mapParts(group.of, own) };
    return { kind: "series", name: group.name, blocks: [alone, { kind: "part", part: cause }] };
  });
}
