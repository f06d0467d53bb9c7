/** `nines drill plan|run NAME --on NODE`: asks another node of the group, and stays on the line. */

import { userInfo } from "node:os";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { colleague, outcomeOf, runErrand, type Colleague } from "../console/drill-errand.ts";
import type { Errand, ErrandWord } from "../core/drill/errand.ts";
import { longestMs, type DrillPlan } from "../core/drill/plan.ts";
import { brokenPromises, measure, type DrillResult, type Measured } from "../core/drill/result.ts";
import { ControlClient } from "../daemon/control-client.ts";
import { newDrillId } from "../daemon/drill-conductor.ts";
import { holdLock } from "../daemon/drill-lock.ts";
import { NodeSite } from "../daemon/drill-node-site.ts";
import { runDirectory } from "../daemon/run-directory.ts";
import { monotonicMs, wallMs } from "../drivers/clock.ts";
import { appendLine, type DrillLine } from "../drivers/drill-files.ts";
import type { SiteProbe, WriteProbe, Written } from "../drivers/drill-site.ts";
import { formatDuration } from "../lib/duration.ts";
import { ownCommand, writeDoor, type RunFlags } from "./drill.ts";
import { planLines, resultLines } from "./drill-words.ts";
import { paint, type ExitCode, type Terminal } from "./terminal.ts";

const ASK_EVERY_MS = 1000;
const MORE_MS = 30_000;
const PATIENCE_MS = 5000;

export async function drillOn(
  verb: Errand["verb"],
  drill: string,
  { flags, terminal }: { readonly flags: RunFlags; readonly terminal: Terminal },
): Promise<ExitCode> {
  const on = flags.on!;
  const local = ["allowOutage", "allowDanger", "inLab", "probeVia", "window"] as const;
  const wrong = local.find((name) => flags[name] !== undefined);
  if (wrong !== undefined || flags.peer.length > 0) {
    terminal.err(`nines: with --on, ${on} decides by its own rules; insist on ${on} itself`);
    return 2;
  }
  let to: Colleague;
  try {
    const client = new ControlClient(runDirectory(resolve(flags.runDir)).controlSocket);
    to = colleague(on, await client.service(), resolve(flags.stateDir));
  } catch (error) {
    terminal.err(`nines: ${(error as Error).message}`);
    return 1;
  }
  const errand: Errand = {
    verb,
    drill,
    id: newDrillId(),
    who: flags.by ?? userInfo().username,
    reason: flags.reason ?? "by hand",
    ...(flags.server === undefined ? {} : { server: flags.server }),
    ...(flags.for === undefined ? {} : { lastsMs: flags.for }),
  };
  return verb === "plan"
    ? plan(to, errand, { flags, terminal })
    : run(to, errand, { flags, terminal });
}

interface Given {
  readonly flags: RunFlags;
  readonly terminal: Terminal;
}

async function plan(to: Colleague, errand: Errand, { flags, terminal }: Given): Promise<ExitCode> {
  const words: ErrandWord[] = [];
  const heard = (word: ErrandWord): void => void words.push(word);
  try {
    await runErrand(to, errand, { heard });
  } catch (error) {
    terminal.err(`nines: ${(error as Error).message}`);
    return 1;
  }
  const planned = words.find((word) => word.planned !== undefined)?.planned;
  if (planned === undefined) {
    const [why = "the line broke"] = words.flatMap(({ refused = [] }) => refused);
    terminal.err(`nines: ${to.name}: ${why}`);
    return 1;
  }
  const { plan: found, commands, refusals } = planned;
  if (flags.json === true) {
    terminal.out(JSON.stringify({ ...found, commands, refusals }, undefined, 2));
    return 0;
  }
  for (const line of planLines(found, commands)) terminal.out(line);
  for (const why of refusals) terminal.out(paint(terminal, "yellow", `refused: ${why}`));
  return 0;
}

/** One at a time here, too: the lock also lets `nines drill stop` find us. */
async function run(to: Colleague, errand: Errand, given: Given): Promise<ExitCode> {
  const { runDir } = given.flags;
  const lock = holdLock(resolve(runDir), { id: errand.id, drill: errand.drill });
  try {
    return await new RemoteDrill(to, errand, given).run();
  } catch (error) {
    given.terminal.err(`nines: ${(error as Error).message}`);
    return 1;
  } finally {
    lock.release();
  }
}

class RemoteDrill {
  readonly #to: Colleague;
  readonly #errand: Errand;
  readonly #given: Given;
  readonly #stop = new AbortController();
  #plan: DrillPlan | undefined;
  #refused: readonly string[] = [];
  #result: DrillResult | undefined;
  /** When the first fault was made there, as far as it was heard here. */
  #faultMs = Infinity;
  /** When it was promised: the fault came after it, and may have cut the line before a word of it. */
  #promisedMs = Infinity;

  constructor(to: Colleague, errand: Errand, given: Given) {
    this.#to = to;
    this.#errand = errand;
    this.#given = given;
  }

  async run(): Promise<ExitCode> {
    const { drill, who, reason } = this.#errand;
    const { name } = this.#to;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => this.#stop.abort());
    }
    this.#record("drill-asked", `${who} asks ${name} for the drill '${drill}': ${reason}`);
    const [probe, writes] = await this.#clients();
    const { signal } = this.#stop;
    const how = await runErrand(this.#to, this.#errand, {
      heard: (word) => this.#hear(word),
      signal,
    }).catch((error: Error) => error);
    if (how === "cut") await this.#askAfterwards();
    const endMs = monotonicMs();
    const written = await writes?.stop();
    const record = await probe?.stop();
    const seen =
      record === undefined
        ? undefined
        : measure(record, { faultMs: this.#faultOr(endMs), undoMs: endMs, endMs });
    if (how instanceof Error) return this.#fail(how.message);
    return this.#conclude(seen, written);
  }

  #faultOr(endMs: number): number {
    const since = this.#faultMs === Infinity ? this.#promisedMs : this.#faultMs;
    return Math.min(since, endMs);
  }

  /** Clients here: for faults of that node's network the only ones that tell. */
  async #clients(): Promise<[SiteProbe | undefined, WriteProbe | undefined]> {
    const { runDir, stateDir, probe: url, every: everyMs } = this.#given.flags;
    const writes = writeDoor(this.#given.flags);
    const site = new NodeSite({
      runDirectory: resolve(runDir),
      stateDirectory: resolve(stateDir),
      nines: ownCommand(),
      peers: [],
      everyMs,
      ...(url === undefined ? {} : { url }),
      ...(writes === undefined ? {} : { writes }),
    });
    const probe = url === undefined ? undefined : await site.startProbe(PATIENCE_MS);
    return [probe, site.startWrites()];
  }

  #hear({ plan: promised, step, refused, result }: ErrandWord): void {
    if (promised !== undefined) {
      this.#plan = promised;
      this.#promisedMs = monotonicMs();
      this.#tell(`${this.#to.name}: ${promised.name}: ${promised.title}`);
    }
    if (step !== undefined) {
      if (this.#plan?.faults.some(({ says }) => says === step) === true) {
        this.#faultMs = Math.min(this.#faultMs, monotonicMs());
      }
      this.#tell(step);
    }
    this.#refused = refused ?? this.#refused;
    this.#result = result ?? this.#result;
  }

  #tell(line: string): void {
    const { flags, terminal } = this.#given;
    if (flags.json !== true) terminal.out(paint(terminal, "dim", `  ${line}`));
  }

  /** The drill cut the line, or something else did: that node mends itself, and tells later. */
  async #askAfterwards(): Promise<void> {
    const { name } = this.#to;
    const waitMs = this.#plan === undefined ? 0 : longestMs(this.#plan) + this.#plan.settleMs;
    const untilMs = monotonicMs() + waitMs + MORE_MS;
    this.#tell(`the line to ${name} is cut; it goes on by itself, and is asked again and again`);
    while (monotonicMs() < untilMs && !this.#stop.signal.aborted) {
      const found = await outcomeOf(this.#to, this.#errand.id).catch(() => undefined);
      this.#result = found?.result;
      if (found !== undefined && (found.result !== undefined || !found.isRunning)) return;
      await sleep(ASK_EVERY_MS);
    }
  }

  #fail(why: string): ExitCode {
    this.#record("drill-answered", `${this.#to.name}: ${why}`);
    this.#given.terminal.err(`nines: ${why}`);
    return 1;
  }

  #conclude(seen: Measured | undefined, written: Written | undefined): ExitCode {
    const { name } = this.#to;
    if (this.#refused.length > 0) return this.#fail(`refused: ${this.#refused.join("; ")}`);
    if (this.#result === undefined) return this.#fail("nobody knows what became of the drill");
    const result = withOwnEyes(this.#result, { plan: this.#plan, seen, written });
    const { flags, terminal } = this.#given;
    const { verdict, reason, measured } = result;
    this.#record("drill-answered", `${name}: ${verdict}: ${reason}`, {
      verdict,
      ...(measured === undefined ? {} : { measured }),
      ...(written?.worst === undefined
        ? {}
        : { workLoss: written.worst, lostWrites: written.lost }),
    });
    if (flags.json === true) terminal.out(JSON.stringify(result, undefined, 2));
    else for (const line of resultLines(result, terminal)) terminal.out(line);
    return verdict === "passed" ? 0 : 1;
  }

  #record(kind: DrillLine["kind"], reason: string, more: Partial<DrillLine> = {}): void {
    const { id, drill } = this.#errand;
    const line = { wallMs: wallMs(), kind, id, drill, reason, on: this.#to.name, ...more };
    appendLine(resolve(this.#given.flags.stateDir), line);
  }
}

/** What was seen here goes before what that node saw of itself. */
export function withOwnEyes(
  result: DrillResult,
  {
    plan: promised,
    seen,
    written,
  }: {
    readonly plan: DrillPlan | undefined;
    readonly seen: Measured | undefined;
    readonly written: Written | undefined;
  },
): DrillResult {
  // For a fault of that node's own network its own client is none: ours counts alone.
  const theirs =
    seen === undefined || promised === undefined || result.measured === undefined
      ? []
      : brokenPromises(promised, result.measured);
  const others = result.deviations.filter((one) => !theirs.includes(one));
  const allowedMs = Math.max(
    promised?.promise.outageMs ?? 0,
    promised?.promise.returnOutageMs ?? 0,
  );
  const mine: string[] = [];
  if (seen !== undefined && promised !== undefined && seen.outageMs > allowedMs) {
    const out = formatDuration(seen.outageMs);
    mine.push(`no answer for ${out} as seen from here, not ${formatDuration(allowedMs)}`);
  }
  if (written !== undefined && written.lost > 0) {
    mine.push(`${written.lost} acknowledged writes are lost`);
  }
  const deviations = [...mine, ...others];
  return {
    ...result,
    deviations,
    ...verdictOf(result, deviations),
    ...(seen === undefined ? {} : { measured: seen }),
    ...(written === undefined
      ? {}
      : { acknowledgedWrites: written.acknowledged, lostWrites: written.lost }),
    ...(written?.worst === undefined ? {} : { workLoss: written.worst }),
  };
}

/** What became of a drill that was not aborted and did not fail by itself. */
function verdictOf(
  { verdict, promise }: DrillResult,
  [first]: readonly string[],
): Partial<Pick<DrillResult, "verdict" | "reason">> {
  if (verdict !== "passed" && verdict !== "deviated") return {};
  return first === undefined
    ? { verdict: "passed", reason: `as promised: ${promise}` }
    : { verdict: "deviated", reason: first };
}
