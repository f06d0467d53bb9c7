/**
 * `npm run bench -- core [--count N]`: what one advert costs the router itself, see `vrrp-steps.ts`.
 * A process of its own, since only one that may order a garbage collection can count what is kept.
 */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export async function coreBench(args: string[]): Promise<void> {
  const steps = fileURLToPath(new URL("vrrp-steps.ts", import.meta.url));
  const { status } = spawnSync(process.execPath, ["--expose-gc", steps, ...args], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
