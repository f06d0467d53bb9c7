/** What a client is known by when its address is the key: all of it, or the network it comes from. */

import { formatIp, parseIp } from "../../lib/ip-address.ts";
import type { HashKey } from "./pool-settings.ts";

export function sourceKey(
  { prefix }: Pick<Extract<HashKey, { of: "source" }>, "prefix">,
  source: string,
): string {
  if (prefix === undefined) return source;
  const bytes = parseIp(source);
  if (bytes === undefined) return source;
  const network = bytes.map((octet, i) => {
    const kept = Math.max(0, Math.min(8, prefix - 8 * i));
    return octet & (0xff << (8 - kept)) & 0xff;
  });
  return formatIp(network);
}
