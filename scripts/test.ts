/**
 * `npm test`: every test that this machine allows. What cannot run is named with the command that
 * enables it; with CI=true nothing may be missing or skipped.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Suite {
  readonly name: string;
  readonly command: readonly string[];
  /** Why it cannot run here and what to do; undefined = it can. */
  readonly obstacle: string | undefined;
  /** Node's own test runner: its summary is read for skipped tests. */
  readonly nodeTests: boolean;
}

const strict = process.env["CI"] === "true";
const simSeeds = strict ? "20000" : "1000";
const proxySeeds = strict ? "6000" : "1000";
const runner = ["node", "--disable-warning=ExperimentalWarning", "--test"];

const suites: readonly Suite[] = [
  {
    name: "unit",
    command: [...runner, "--test-isolation=none", "src/**/*.test.ts", "test/*.test.ts"],
    obstacle: undefined,
    nodeTests: true,
  },
  {
    name: "simulation",
    command: ["npm", "run", "--silent", "sim", "--", "--seeds", simSeeds],
    obstacle: undefined,
    nodeTests: false,
  },
  {
    name: "simulation of the proxy",
    command: ["npm", "run", "--silent", "sim", "--", "proxy", "--seeds", proxySeeds],
    obstacle: undefined,
    nodeTests: false,
  },
  {
    name: "lab",
    command: [...runner, "--test-concurrency=1", "test/lab/*.test.ts"],
    obstacle: labObstacle(),
    nodeTests: true,
  },
];

function labObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root for network namespaces: sudo npm test";
  const check = spawnSync("scripts/lab-setup", ["--check"], { encoding: "utf8" });
  if (check.status === 0) return undefined;
  return `${check.stdout.trim()}; enable it with: sudo scripts/lab-setup`;
}

/** Runs one suite; returns how many tests it skipped, or undefined when it failed. */
function run(suite: Suite): number | undefined {
  const folder = mkdtempSync(join(tmpdir(), "nines-test-"));
  const tap = join(folder, "tap");
  const [program, ...args] = suite.command;
  const reporters = suite.nodeTests
    ? ["--test-reporter=dot", "--test-reporter-destination=stdout"]
    : [];
  if (suite.nodeTests) reporters.push("--test-reporter=tap", `--test-reporter-destination=${tap}`);
  const at = args.indexOf("--test") + 1;
  args.splice(suite.nodeTests ? at : 0, 0, ...reporters);
  const result = spawnSync(program!, args, { stdio: "inherit" });
  const report = existsSync(tap) ? readFileSync(tap, "utf8") : "";
  rmSync(folder, { recursive: true });
  if (suite.nodeTests) summarize(suite, report);
  if (result.status !== 0) return undefined;
  return Number(/^# skipped (\d+)/m.exec(report)?.[1] ?? 0);
}

/** The counts, every skipped test with its reason, and every failed one in full. */
function summarize(suite: Suite, report: string): void {
  const count = (what: string): string =>
    new RegExp(`^# ${what} (\\d+)`, "m").exec(report)?.[1] ?? "?";
  for (const line of report.split("\n")) {
    const skipped = /^\s*ok \d+ - (.*) # SKIP ?(.*)$/.exec(line);
    if (skipped !== null) console.log(`  skipped: ${skipped[1]} (${skipped[2] || "no reason"})`);
  }
  for (const failure of report.matchAll(/^ *not ok \d+ - [\s\S]*?^ *\.\.\.$/gm)) {
    console.log(failure[0]);
  }
  console.log(
    `\n${suite.name}: ${count("pass")} passed, ${count("fail")} failed, ${count("skipped")} skipped`,
  );
}

const missing: string[] = [];
let failed = 0;
let skipped = 0;
for (const suite of suites) {
  if (suite.obstacle !== undefined) {
    missing.push(`${suite.name}: ${suite.obstacle}`);
    continue;
  }
  console.log(`\n== ${suite.name}`);
  const result = run(suite);
  if (result === undefined) failed++;
  else skipped += result;
}
for (const line of missing) console.log(`\nnot run - ${line}`);
if (strict && (missing.length > 0 || skipped > 0)) {
  console.log("\nCI=true: nothing may be missing or skipped");
  failed++;
}
const ran = suites.length - missing.length;
console.log(`\nsuites: ${ran - failed} passed, ${failed} failed, ${missing.length} not run`);
process.exit(failed > 0 ? 1 : 0);
