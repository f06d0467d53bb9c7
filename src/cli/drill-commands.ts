/** `nines drill …`: named, described and wired; and the helpers that drills start. */

import { InvalidArgumentError, Option, type Command } from "commander";
import { parseDuration } from "../config/service/schema/kinds.ts";
import { LONGEST_LAST_MS } from "../core/drill/catalogue/drill-kind.ts";
import type { Wiring } from "./balance-commands.ts";
import type { RunFlags } from "./drill.ts";

export function addDrillCommands(program: Command, wiring: Wiring): void {
  const group = program
    .command("drill")
    .description("break something on purpose, measure what clients see, and mend it");
  addViews(group, wiring);
  addRuns(group, wiring);
  addHelpers(program, wiring);
}

function addViews(group: Command, { terminal, end, withDirectories }: Wiring): void {
  group
    .command("list")
    .description("the drills that there are")
    .option("--json", "for machines")
    .action(async (given: { readonly json?: boolean }) => {
      const { drillList } = await import("./drill.ts");
      end(drillList(given.json ?? false, terminal));
    });
  withDirectories(group.command("history"), true)
    .description("how drills ended, and the share of faults that were mended by a switch")
    .option("--json", "JSON lines")
    .option("--drill <name>", "only this one")
    .action(async (given: HistoryFlags) => {
      const { drillHistory } = await import("./drill.ts");
      end(drillHistory(given, terminal));
    });
  withDirectories(group.command("stop"), false)
    .description("end the drill at work: what it broke is mended at once")
    .action(async (given: { readonly runDir: string }) => {
      const { drillStop } = await import("./drill.ts");
      end(drillStop(given.runDir, terminal));
    });
}

interface HistoryFlags {
  readonly stateDir: string;
  readonly json?: boolean;
  readonly drill?: string;
}

function addRuns(group: Command, { terminal, end, withDirectories }: Wiring): void {
  const words = {
    plan: "the exact commands that `run` would run, and what is promised; nothing is done",
    run: "run a drill on this node, or in a ready world of the lab",
  };
  for (const verb of ["plan", "run"] as const) {
    withDirectories(group.command(verb), true)
      .description(words[verb])
      .argument("<name>", "see: nines drill list")
      .option("--json", "for machines")
      .option("--on <node>", "on another node of the group, which decides by its own rules")
      .option("--reason <text>", "with --on: why, for the journals of both nodes")
      .addOption(new Option("--by <who>", "who asks; default: the user").hideHelp())
      .option("--in-lab", "in a world of its own on this machine; this node is left alone")
      .option("--server <pool/server>", "which server; default: the first usable one")
      .option(
        "--for <time>",
        "the fault lasts at least so long; default: as the drill says",
        parseLast,
      )
      .option("--peer <command>", "prints `nines status --json` of the other node", append, [])
      .option("--probe <url>", "what clients ask; default: the first frontend")
      .option("--probe-via <command>", "runs the client elsewhere, e.g. 'ssh client'")
      .option("--every <time>", "between two requests of the client", parseTime, 20)
      .option("--write-probe <url>", "PUT and GET below it: no acknowledged write may be lost")
      .option("--write-command <line>", "instead of PUT: a shell line, key $1, value $2")
      .option("--read-command <line>", "instead of GET: prints what is at key $1")
      .option("--window <from-to>", "drills are allowed then, e.g. 09:00-17:00", parseWindow)
      .option("--allow-outage", "even if nobody is known to take over")
      .option("--allow-danger", "even if more than the service is harmed (power, clock, disk)")
      .action(async (name: string, given: RunFlags) => {
        const { drillPlan, drillRun, writeDoor } = await import("./drill.ts");
        // Before anything is asked of anybody.
        writeDoor(given);
        if (given.on !== undefined) {
          const { drillOn } = await import("./drill-remote.ts");
          return end(await drillOn(verb, name, { flags: given, terminal }));
        }
        return end(await (verb === "plan" ? drillPlan : drillRun)(name, given, terminal));
      });
  }
}

function addHelpers(program: Command, wiring: Wiring): void {
  const { end } = wiring;
  addLed(program, wiring);
  program
    .command("drill-guard", { hidden: true })
    .argument("<file>")
    .action(async (file: string) => {
      const { runGuard } = await import("../daemon/drill-guard.ts");
      await runGuard(file);
    });
  program
    .command("drill-forward", { hidden: true })
    .option("--map <port=to>", "", appendMap, [])
    .option("--delay <time>", "", parseTime, 0)
    .option("--answer <status>", "", Number)
    .option("--group <gid>", "", Number)
    .option("--pid-file <file>")
    .action(async ({ pidFile, delay: delayMs, answer, ...rest }: ForwardFlags) => {
      const { forward } = await import("../daemon/drill-forward.ts");
      const { inBackground } = await import("../daemon/background.ts");
      const settings = { ...rest, delayMs, ...(answer === undefined ? {} : { answer }) };
      await inBackground(pidFile, () => forward(settings));
      end(0);
    });
  program
    .command("drill-flood", { hidden: true })
    .argument("<to>", "", parsePlace)
    .option("--connections <n>", "", Number)
    .option("--pid-file <file>")
    .action(async (to: Place, { pidFile, connections }: FloodFlags) => {
      const { flood } = await import("../daemon/drill-flood.ts");
      const { inBackground } = await import("../daemon/background.ts");
      await inBackground(pidFile, () => flood({ ...to, connections }));
      end(0);
    });
  program
    .command("drill-probe", { hidden: true })
    .argument("<url>")
    .argument("<every>", "", Number)
    .argument("<patience>", "", Number)
    .action(async (url: string, intervalMs: number, limitMs: number) => {
      const { probeHttp } = await import("../lab/http-probe.ts");
      const { hostname, port, pathname, search } = new URL(url);
      const address = hostname.replaceAll(/[[\]]/g, "");
      const path = `${pathname}${search}`;
      // It lives as long as its standard input is open.
      probeHttp({ address, port: Number(port || 80), path, intervalMs, limitMs, isFresh: false });
    });
}

/** Started by the console for another node: the words on its line are standard input and output. */
function addLed(program: Command, { withDirectories }: Wiring): void {
  withDirectories(program.command("drill-led", { hidden: true }), true)
    .argument("<from>")
    .action(async (from: string, { runDir, stateDir }: Pick<RunFlags, "runDir" | "stateDir">) => {
      const { runLed } = await import("../daemon/drill-led.ts");
      const nines = [process.execPath, ...process.execArgv, process.argv[1] ?? ""];
      const places = { runDirectory: runDir, stateDirectory: stateDir };
      await runLed(from, { ...places, nines, peers: [], everyMs: LED_EVERY_MS });
      // Whoever asked may keep the line open.
      process.exit(0);
    });
}

/** Between two requests of the client on this node. */
const LED_EVERY_MS = 20;

interface ForwardFlags {
  readonly map: readonly { readonly port: number; readonly host: string; readonly to: number }[];
  readonly delay: number;
  readonly answer?: number;
  readonly group: number;
  readonly pidFile: string;
}

interface FloodFlags {
  readonly connections: number;
  readonly pidFile: string;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

function append(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

function appendMap(text: string, before: ForwardFlags["map"]): ForwardFlags["map"] {
  const at = text.indexOf("=");
  const { host, port } = parsePlace(text.slice(at + 1));
  return [...before, { port: Number(text.slice(0, at)), host, to: port }];
}

function parsePlace(text: string): Place {
  const found = /^\[?(.+?)\]?:(\d+)$/.exec(text);
  if (found === null) throw new InvalidArgumentError("write ADDRESS:PORT");
  return { host: found[1]!, port: Number(found[2]) };
}

function parseTime(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError("write 500ms, 60s or 5m");
  return ms;
}

function parseLast(text: string): number {
  const ms = parseTime(text);
  if (ms > LONGEST_LAST_MS) throw new InvalidArgumentError("an hour at most");
  return ms;
}

function parseWindow(text: string): { readonly from: number; readonly to: number } {
  const found = /^(\d\d?):(\d\d)-(\d\d?):(\d\d)$/.exec(text);
  if (found === null) throw new InvalidArgumentError("write 09:00-17:00");
  const [, a, b, c, d] = found.map(Number) as [number, number, number, number, number];
  return { from: a * 60 + b, to: c * 60 + d };
}
