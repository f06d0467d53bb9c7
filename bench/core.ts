/**
 * `npm run bench -- core [--count N]`: what one advert costs the router itself (`vrrp-steps.ts`), and
 * what the choice of a server costs one request (`core-balance.ts`).
 * Processes of their own, since only one that may order a garbage collection can count what is kept.
 */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { wholeNumber } from "./options.ts";

export async function coreBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { count: { type: "string" }, json: { type: "boolean" } },
  });
  if (values.count !== undefined) wholeNumber("count", values.count);
  for (const name of ["vrrp-steps.ts", "core-balance.ts"]) {
    const steps = fileURLToPath(new URL(name, import.meta.url));
    const { status } = spawnSync(process.execPath, ["--expose-gc", steps, ...args], {
      stdio: "inherit",
    });
    process.exitCode ||= status ?? 1;
  }
}
