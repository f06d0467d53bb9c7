/**
 * `npm test`: every test that this machine allows. What cannot run is named with the command that
 * enables it; with CI=true nothing may be missing or skipped.
 */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout } from "node:timers/promises";
import { stolenMs } from "../src/lab/stolen.ts";

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
const proxySeeds = strict ? "3000" : "1000";
const tcpSeeds = strict ? "3000" : "1000";
/** They look at milliseconds. */
const ALONE: ReadonlySet<string> = new Set([
  "keepalived-baseline.test.ts",
  "lease.test.ts",
  "tracks.test.ts",
  "world.test.ts",
]);
const runner = ["node", "--disable-warning=ExperimentalWarning", "--test"];

const suites: readonly Suite[] = [
  {
    name: "unit",
    command: [...runner, "--test-isolation=none", "src/**/*.test.ts", "test/*.test.ts"],
    obstacle: undefined,
    nodeTests: true,
  },
  {
    name: "lab",
    // Its worlds mostly wait. Three at a time: each has its own namespaces, names and processes.
    command: [...runner, "--test-concurrency=3", ...labFiles((file) => !ALONE.has(file))],
    obstacle: labObstacle(),
    nodeTests: true,
  },
  {
    name: "lab, one at a time",
    command: [...runner, "--test-concurrency=1", ...labFiles((file) => ALONE.has(file))],
    obstacle: labObstacle(),
    nodeTests: true,
  },
  {
    name: "page",
    command: [...runner, "--test-isolation=none", "test/page/*.test.ts"],
    obstacle: pageObstacle(),
    nodeTests: true,
  },
  // They know no real time and use every CPU: last, so that nothing that looks at the clock runs beside them.
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
    name: "simulation of carried connections",
    command: ["npm", "run", "--silent", "sim", "--", "tcp", "--seeds", tcpSeeds],
    obstacle: undefined,
    nodeTests: false,
  },
];

function labFiles(isWanted: (file: string) => boolean): readonly string[] {
  const files = readdirSync("test/lab").filter((file) => file.endsWith(".test.ts"));
  return files.filter(isWanted).map((file) => `test/lab/${file}`);
}

function pageObstacle(): string | undefined {
  const program = process.env["NINES_CHROMIUM"] ?? "/usr/bin/chromium";
  return existsSync(program) ? undefined : `there is no ${program}: sudo scripts/lab-setup`;
}

function labObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root for network namespaces: sudo npm test";
  const check = spawnSync("scripts/lab-setup", ["--check"], { encoding: "utf8" });
  if (check.status === 0) return undefined;
  return `${check.stdout.trim()}; enable it with: sudo scripts/lab-setup`;
}

/**
 * A few tests look at real time on CPUs that others may take away for a while: files with a failed test are run
 * again, alone, when the host has given the CPUs back. What passes then is named as unsteady, with its failure in full;
 * more files than this, and nothing is tried again.
 */
const MAX_UNSTEADY = 5;
const REPEATS = 2;
/** The host is quiet: it takes less than this of the CPUs for so long. Waited for so long at most. */
const QUIET_SHARE = 0.02;
const QUIET_MS = 5000;
const LONGEST_WAIT_MS = 120_000;
const LONGEST = 8;
/** As long as a whole run may take: a test that leaves a connection open would hold its suite for ever. */
const LIMIT_MINUTES = 20;
const unsteady: string[] = [];

interface Outcome {
  readonly code: number;
  readonly skipped: number;
  /** Of failed tests; none also when the run failed otherwise. */
  readonly failedFiles: readonly string[];
}

/** Runs one suite; resolves to how many tests it skipped, or undefined when it failed. */
async function run(suite: Suite): Promise<number | undefined> {
  const { code, skipped, failedFiles } = await runOnce(suite);
  if (code === 0) return skipped;
  if (failedFiles.length === 0 || unsteady.length + failedFiles.length > MAX_UNSTEADY) {
    return undefined;
  }
  if (!(await passAlone(suite, failedFiles))) return undefined;
  unsteady.push(...failedFiles);
  return skipped;
}

/** Whether each of these files passes in one of the repeats. */
async function passAlone(suite: Suite, files: readonly string[]): Promise<boolean> {
  let left = files;
  for (let i = 0; i < REPEATS && left.length > 0; i++) {
    await quietHost();
    const name = `${suite.name}, once more: ${left.join(" ")}`;
    console.log(`\n== ${name}`);
    const command = [...runner, "--test-concurrency=1", ...left];
    const { code, failedFiles } = await runOnce({ ...suite, name, command });
    if (code !== 0 && failedFiles.length === 0) return false;
    left = failedFiles;
  }
  return left.length === 0;
}

/** Resolves when the host takes next to nothing, or after a while all the same. */
async function quietHost(): Promise<void> {
  const most = QUIET_MS * cpus().length * QUIET_SHARE;
  for (let waited = 0; waited < LONGEST_WAIT_MS; waited += QUIET_MS) {
    const before = stolenMs();
    await setTimeout(QUIET_MS);
    if (stolenMs() - before < most) return;
  }
}

async function runOnce(suite: Suite): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "nines-test-"));
  const tap = join(folder, "tap");
  const before = stolenMs();
  const code = await ended(commandOf(suite, tap));
  const stolen = stolenMs() - before;
  const report = existsSync(tap) ? readFileSync(tap, "utf8") : "";
  rmSync(folder, { recursive: true });
  if (suite.nodeTests) summarize(suite, report, stolen);
  const skipped = Number(/^# skipped (\d+)/m.exec(report)?.[1] ?? 0);
  return { code, skipped, failedFiles: failedFilesOf(report) };
}

function failedFilesOf(report: string): readonly string[] {
  // Without its end there are tests that never ran: to repeat those that failed would hide them.
  if (!/^# fail \d+/m.test(report)) return [];
  const files = failuresOf(report).map((text) => /location: '(.*?):\d+:\d+'/.exec(text)?.[1]);
  if (files.includes(undefined)) return [];
  return [...new Set(files.map((file) => relative(process.cwd(), file!)))];
}

function failuresOf(report: string): readonly string[] {
  return [...report.matchAll(/^ *not ok \d+ - [\s\S]*?^ *\.\.\.$/gm)].map(([text]) => text);
}

function commandOf(suite: Suite, tap: string): readonly string[] {
  if (!suite.nodeTests) return suite.command;
  const reporters = ["dot", "tap"].flatMap((reporter, i) => [
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${["stdout", tap][i]}`,
  ]);
  const at = suite.command.indexOf("--test") + 1;
  return suite.command.toSpliced(at, 0, ...reporters);
}

function ended([program, ...args]: readonly string[]): Promise<number> {
  const child = spawn(program!, args, {
    stdio: ["ignore", "inherit", "inherit"],
    timeout: LIMIT_MINUTES * 60_000,
  });
  return new Promise((resolve) => {
    child.once("error", (error) => {
      console.log(`${program} could not be started: ${error.message}`);
      resolve(1);
    });
    child.once("exit", (code) => {
      if (child.killed) console.log(`\nended: not done within ${LIMIT_MINUTES} minutes`);
      resolve(child.killed ? 1 : (code ?? 1));
    });
  });
}

/** The counts, every skipped test with its reason, and every failed one in full. */
function summarize(suite: Suite, report: string, stolen: number): void {
  const count = (what: string): string =>
    new RegExp(`^# ${what} (\\d+)`, "m").exec(report)?.[1] ?? "?";
  for (const line of report.split("\n")) {
    const skipped = /^\s*ok \d+ - (.*) # SKIP ?(.*)$/.exec(line);
    if (skipped !== null) console.log(`  skipped: ${skipped[1]} (${skipped[2] || "no reason"})`);
  }
  for (const failure of failuresOf(report)) console.log(failure);
  console.log(
    `\n${suite.name}: ${count("pass")} passed, ${count("fail")} failed, ${count("skipped")} skipped` +
      ` in ${seconds(Number(count("duration_ms")))}`,
  );
  if (stolen > 0) console.log(`${seconds(stolen)} of all CPUs were taken by the host meanwhile`);
  for (const { name, ms } of longestOf(report)) console.log(`  ${seconds(ms)} ${name}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(6)} s`;
}

/** Where the time goes: a full run has twenty minutes. */
function longestOf(report: string): readonly { readonly name: string; readonly ms: number }[] {
  const tests = report.matchAll(/^ok \d+ - (.*)\n\s*---\n\s*duration_ms: ([\d.]+)/gm);
  const timed = Array.from(tests, ([, name, ms]) => ({ name: name!, ms: Number(ms) }));
  return timed.sort((a, b) => b.ms - a.ms).slice(0, LONGEST);
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
  const result = await run(suite);
  if (result === undefined) failed++;
  else skipped += result;
}
for (const line of missing) console.log(`\nnot run - ${line}`);
if (strict && (missing.length > 0 || skipped > 0)) {
  console.log("\nCI=true: nothing may be missing or skipped");
  failed++;
}
for (const file of unsteady) console.log(`\nunsteady - ${file}: failed, and passed alone`);
const ran = suites.length - missing.length;
console.log(`\nsuites: ${ran - failed} passed, ${failed} failed, ${missing.length} not run`);
process.exit(failed > 0 ? 1 : 0);
