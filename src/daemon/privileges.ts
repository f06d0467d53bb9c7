/** Whether the kernel will let us do our work, said before anything is started. */

import { readFileSync } from "node:fs";

const NEEDED = [
  { bit: 12, name: "CAP_NET_ADMIN", why: "to set addresses" },
  { bit: 13, name: "CAP_NET_RAW", why: "to send and receive adverts" },
] as const;

/** What is missing and how to get it, or undefined when nothing is. capabilities(7). */
export function canUseNetwork(): string | undefined {
  const effective = effectiveCapabilities();
  if (effective === undefined) return undefined;
  const missing = NEEDED.filter(({ bit }) => ((effective >> BigInt(bit)) & 1n) === 0n);
  if (missing.length === 0) return undefined;
  const what = missing.map(({ name, why }) => `${name} (${why})`).join(" and ");
  return `this user lacks ${what}: run as root or grant the capability in the service unit`;
}

function effectiveCapabilities(): bigint | undefined {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"));
  return line?.[1] === undefined ? undefined : BigInt(`0x${line[1]}`);
}
