/**
 * Puts the static addresses, routes and rules of a JSON file into the kernel, prints what the
 * kernel said as one line, and removes them when its input ends.
 *
 *     node object-holder.ts STATE_DIRECTORY SETTINGS_FILE
 */

import { readFileSync } from "node:fs";
import { isOsFailure } from "../../../src/drivers/ffi.ts";
import { KernelAddresses } from "../../../src/drivers/kernel-addresses.ts";

const [stateDirectory, file] = process.argv.slice(2);
const kernel = KernelAddresses.open({ stateDirectory: stateDirectory! });
if (isOsFailure(kernel)) {
  process.stdout.write(`${JSON.stringify(kernel)}\n`);
  process.exit(1);
}
const acquisition = kernel.acquireStatic(JSON.parse(readFileSync(file!, "utf8")));
process.stdout.write(`${JSON.stringify(acquisition)}\n`);
for await (const _ of process.stdin) continue;
process.stdout.write(`${JSON.stringify(kernel.close())}\n`);
process.exit(0);
