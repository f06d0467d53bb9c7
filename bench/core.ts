/**
 * `npm run bench -- core [--count N]`: what one advert costs the router itself (`vrrp-steps.ts`), and
 * what the choice of a server costs one request (`core-balance.ts`).
 * Processes of their own, since only one that may order a garbage collection can count what is kept.
 */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export async function coreBench(args: string[]): Promise<void> {
  for (const name of ["vrrp-steps.ts", "core-balance.ts"]) {
    const steps = fileURLToPath(new URL(name, import.meta.url));
    const { status } = spawnSync(process.execPath, ["--expose-gc", steps, ...args], {
      stdio: "inherit",
    });
    process.exitCode ||= status ?? 1;
  }
}
