/** `npm run bench -- NAME [options]`: figures that anybody can print again. */

import { cpus, totalmem } from "node:os";
import { readFileSync } from "node:fs";
import { MissingTool } from "../src/lab/command.ts";
import { canBuildWorlds, enterUserNamespace } from "../src/lab/privileges.ts";
import { advertBench } from "./adverts.ts";
import { bodiesBench } from "./bodies.ts";
import { checkBench } from "./checks.ts";
import { coreBench } from "./core.ts";
import { evidenceBench } from "./evidence.ts";
import { engineBench } from "./engine.ts";
import { estimateBench } from "./estimate.ts";
import { faultsBench } from "./faults.ts";
import { httpBench } from "./http.ts";
import { hostileBench } from "./hostile.ts";
import { isWrongOption } from "./options.ts";
import { parserBench } from "./parser.ts";
import { vrrpBench } from "./vrrp.ts";

const benches: Readonly<Record<string, (args: string[]) => Promise<void>>> = {
  adverts: advertBench,
  bodies: bodiesBench,
  checks: checkBench,
  core: coreBench,
  engine: engineBench,
  evidence: evidenceBench,
  estimate: estimateBench,
  faults: faultsBench,
  http: httpBench,
  hostile: hostileBench,
  parser: parserBench,
  vrrp: vrrpBench,
};

/** They build networks, which root may, and others in a user namespace. */
const IN_WORLDS: ReadonlySet<unknown> = new Set([
  advertBench,
  bodiesBench,
  checkBench,
  faultsBench,
  hostileBench,
  httpBench,
  vrrpBench,
]);

const [name, ...args] = process.argv.slice(2);
const bench = benches[name ?? ""];
if (bench === undefined) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join("|")} [options]`);
  process.exit(2);
}
if (IN_WORLDS.has(bench)) {
  const { ok, reason, hint } = canBuildWorlds();
  if (!ok) {
    console.error(`${reason}. ${hint}`);
    process.exit(1);
  }
  await enterUserNamespace();
}
const kernel = readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
const memory = Math.round(totalmem() / 2 ** 30);
console.log(
  `machine: ${cpus().length} CPUs, ${memory} GiB, Linux ${kernel}, Node ${process.version}`,
);
try {
  await bench(args);
} catch (error) {
  if (!isWrongOption(error) && !(error instanceof MissingTool)) throw error;
  console.error(error.message);
  process.exitCode = isWrongOption(error) ? 2 : 1;
}
