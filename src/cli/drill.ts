/** `nines drill`: list, plan, run, stop, history. */

import { resolve } from "node:path";
import { catalogue, drillKind } from "../core/drill/catalogue/catalogue.ts";
import { planFor } from "../core/drill/catalogue/drill-kind.ts";
import { coverageBy, switchCoverage, type Coverage } from "../core/drill/coverage.ts";
import type { SiteFacts } from "../core/drill/facts.ts";
import { shellLine, type DrillPlan } from "../core/drill/plan.ts";
import { refusals } from "../core/drill/preconditions.ts";
import type { DrillResult } from "../core/drill/result.ts";
import { conduct } from "../daemon/drill-conductor.ts";
import { drillAtWork, stopDrill } from "../daemon/drill-lock.ts";
import { NodeSite } from "../daemon/drill-node-site.ts";
import { readLines } from "../drivers/drill-files.ts";
import type { DrillSite } from "../drivers/drill-site.ts";
import { commandDoor, httpDoor, type WriteDoor } from "../drivers/write-door.ts";
import { formatDuration } from "../lib/duration.ts";
import { closest } from "../lib/spelling.ts";
import { formatTable } from "../lib/table.ts";
import { planLines, resultLines } from "./drill-words.ts";
import { paint, type ExitCode, type Terminal, UsageFailure } from "./terminal.ts";

export interface RunFlags {
  readonly runDir: string;
  readonly stateDir: string;
  readonly json?: boolean;
  /** Another node of the group; `by` and `reason` are for the journals. */
  readonly on?: string;
  readonly by?: string;
  readonly reason?: string;
  readonly inLab?: boolean;
  readonly server?: string;
  /** The fault lasts at least so long, ms. */
  readonly for?: number;
  readonly peer: readonly string[];
  readonly probe?: string;
  readonly probeVia?: string;
  readonly every: number;
  readonly writeProbe?: string;
  readonly writeCommand?: string;
  readonly readCommand?: string;
  readonly window?: { readonly from: number; readonly to: number };
  readonly allowOutage?: boolean;
  readonly allowDanger?: boolean;
}

export function drillList(json: boolean, terminal: Terminal): ExitCode {
  if (json) {
    const rows = catalogue.map(({ name, title, layer, says }) => ({ name, title, layer, says }));
    terminal.out(JSON.stringify(rows, undefined, 2));
    return 0;
  }
  const rows = catalogue.map(({ name, layer, title }) => [name, layer, title]);
  for (const line of formatTable(["NAME", "LAYER", "WHAT HAPPENS"], rows)) terminal.out(line);
  terminal.out("\nWhat one of them would do here: nines drill plan NAME");
  return 0;
}

export async function drillPlan(
  name: string,
  flags: RunFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  return withPlan(name, { flags, terminal }, async ({ plan, facts, site }) => {
    const speakAgainst = refusalsOf(plan, facts, flags);
    const commands = plan.faults.map(({ says, inject, undo }) => ({
      says,
      inject: inject.map((command) => shellLine(site.wrap(command))),
      undo: undo.map((command) => shellLine(site.wrap(command))),
    }));
    if (flags.json === true) {
      terminal.out(JSON.stringify({ ...plan, commands, refusals: speakAgainst }, undefined, 2));
      return 0;
    }
    for (const line of planLines(plan, commands)) terminal.out(line);
    for (const why of speakAgainst) terminal.out(paint(terminal, "yellow", `refused: ${why}`));
    return 0;
  });
}

export async function drillRun(
  name: string,
  flags: RunFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  return withPlan(name, { flags, terminal }, async ({ plan, facts, site }) => {
    const speakAgainst = refusalsOf(plan, facts, flags);
    if (speakAgainst.length > 0) {
      for (const why of speakAgainst) terminal.err(`nines: refused: ${why}`);
      const reason = speakAgainst.join("; ");
      const line = { wallMs: Date.now(), kind: "drill-refused" as const, id: "", drill: name };
      site.record({ ...line, reason });
      return 1;
    }
    const stop = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => stop.abort());
    }
    const tell = (line: string): void => {
      if (flags.json !== true) terminal.out(paint(terminal, "dim", `  ${line}`));
    };
    if (flags.json !== true) terminal.out(`${plan.name}: ${plan.title}`);
    const result = await conduct(plan, site, { nines: ownCommand(), tell, signal: stop.signal });
    if (flags.json === true) terminal.out(JSON.stringify(result, undefined, 2));
    else for (const line of resultLines(result, terminal)) terminal.out(line);
    return result.verdict === "passed" ? 0 : 1;
  });
}

/** The program that runs now: guards are started as it was. */
export function ownCommand(): readonly string[] {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? ""];
}

interface Ready {
  readonly plan: DrillPlan;
  readonly facts: SiteFacts;
  readonly site: DrillSite;
}

async function withPlan(
  name: string,
  { flags, terminal }: { readonly flags: RunFlags; readonly terminal: Terminal },
  body: (ready: Ready) => Promise<ExitCode>,
): Promise<ExitCode> {
  const kind = drillKind(name);
  if (kind === undefined) {
    const names = catalogue.map((one) => one.name);
    const near = closest(name, names);
    const hint = near === undefined ? "see: nines drill list" : `did you mean '${near}'?`;
    terminal.err(`nines: no drill '${name}'; ${hint}`);
    return 2;
  }
  return withSite(flags, async (site) => {
    const facts = await site.facts();
    const plan = planFor(kind, facts, { server: flags.server, lastsMs: flags.for });
    if (typeof plan === "string") {
      terminal.err(`nines: '${name}' is not possible here: ${plan}`);
      return 1;
    }
    return body({ plan, facts, site });
  });
}

/** Throws `UsageFailure` when half of it was given, or no URL. */
export function writeDoor({
  writeProbe,
  writeCommand,
  readCommand,
}: Pick<RunFlags, "writeProbe" | "writeCommand" | "readCommand">): WriteDoor | undefined {
  if (writeCommand !== undefined && readCommand !== undefined) {
    return commandDoor(writeCommand, readCommand);
  }
  if ((writeCommand ?? readCommand) !== undefined) {
    throw new UsageFailure("--write-command and --read-command go together");
  }
  if (writeProbe === undefined) return undefined;
  if (!/^https?:/u.test(writeProbe) || !URL.canParse(writeProbe)) {
    throw new UsageFailure(`rows cannot be written to '${writeProbe}': write http://HOST/PATH`);
  }
  return httpDoor(writeProbe);
}

async function withSite(
  flags: RunFlags,
  body: (site: DrillSite) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (flags.inLab !== true) {
    const { runDir, stateDir, peer, probe, probeVia, every } = flags;
    const writes = writeDoor(flags);
    return body(
      new NodeSite({
        runDirectory: resolve(runDir),
        stateDirectory: resolve(stateDir),
        nines: ownCommand(),
        peers: peer,
        everyMs: every,
        ...(probe === undefined ? {} : { url: probe }),
        ...(probeVia === undefined ? {} : { via: probeVia }),
        ...(writes === undefined ? {} : { writes }),
      }),
    );
  }
  const { enterUserNamespace } = await import("../lab/privileges.ts");
  const { buildDrillWorld } = await import("../lab/drill-world.ts");
  await enterUserNamespace();
  const { farm, site } = await buildDrillWorld();
  try {
    return await body(site);
  } finally {
    farm.destroy();
  }
}

function refusalsOf(plan: DrillPlan, facts: SiteFacts, flags: RunFlags): readonly string[] {
  const now = new Date();
  const running = flags.inLab === true ? undefined : drillAtWork(flags.runDir)?.drill;
  return refusals(plan, {
    facts,
    minute: now.getHours() * 60 + now.getMinutes(),
    // A world of the lab serves nobody.
    allowOutage: flags.allowOutage === true || flags.inLab === true,
    allowDanger: flags.allowDanger === true || flags.inLab === true,
    ...(running === undefined ? {} : { running }),
    ...(flags.window === undefined ? {} : { window: flags.window }),
  });
}

export function drillStop(runDir: string, terminal: Terminal): ExitCode {
  const stopped = stopDrill(resolve(runDir));
  if (stopped === undefined) {
    terminal.err("nines: no drill is at work");
    return 1;
  }
  terminal.out(`told '${stopped.drill}' to stop; what it broke is being mended`);
  return 0;
}

export function drillHistory(
  flags: { readonly stateDir: string; readonly json?: boolean; readonly drill?: string },
  terminal: Terminal,
): ExitCode {
  const lines = readLines(flags.stateDir).filter(
    ({ drill }) => flags.drill === undefined || drill === flags.drill,
  );
  if (flags.json === true) {
    for (const line of lines) terminal.out(JSON.stringify(line));
    return 0;
  }
  const results = lines.flatMap(({ result }) => (result === undefined ? [] : [result]));
  if (results.length === 0) {
    terminal.err("no drill has been run here; see: nines drill list");
    return 0;
  }
  for (const line of formatTable(HISTORY_HEAD, results.map(historyRow))) terminal.out(line);
  terminal.out(`\nswitch coverage: ${coverageText(switchCoverage(results))}`);
  for (const [layer, coverage] of coverageBy(results, "layer")) {
    if (coverage.faults > 0) terminal.out(`  ${layer}: ${coverageText(coverage)}`);
  }
  return 0;
}

const HISTORY_HEAD = ["WHEN", "DRILL", "VERDICT", "OUTAGE", "FAILED", "DETECTED", "REASON"];

function historyRow(result: DrillResult): readonly string[] {
  const { measured, detection } = result;
  return [
    new Date(result.startedWallMs).toISOString().slice(0, 19).replace("T", " "),
    result.drill,
    result.verdict,
    measured === undefined ? "-" : formatDuration(measured.outageMs),
    measured === undefined ? "-" : String(measured.failed),
    detection === undefined ? "-" : formatDuration(detection.afterMs),
    result.reason,
  ];
}

function coverageText({ faults, switched, ratio, outage }: Coverage): string {
  if (ratio === undefined) return "nothing that had to switch was tried";
  const share = `${switched} of ${faults} faults (${(ratio * 100).toFixed(1)} %)`;
  if (outage === undefined) return share;
  const { meanMs, worstMs } = outage;
  return `${share}, no answer for ${formatDuration(meanMs)} on average, ${formatDuration(worstMs)} at worst`;
}
