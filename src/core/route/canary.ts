/** Which of a route's pools a client goes to. */

/**
 * By weight, the same client always to the same side as long as the weights stay: `hash` is of the
 * client's address. A side whose weight grows keeps its clients. Undefined: all weights are 0.
 */
export function choosePool(
  pools: readonly { readonly pool: string; readonly weight: number }[],
  hash: number,
): string | undefined {
  if (pools.length === 1) return pools[0]!.pool;
  const total = pools.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return undefined;
  let at = ((hash >>> 0) / 0x1_0000_0000) * total;
  for (const { pool, weight } of pools) {
    if (at < weight) return pool;
    at -= weight;
  }
  return pools.at(-1)!.pool;
}
