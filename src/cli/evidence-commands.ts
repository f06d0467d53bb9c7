/** Subcommands of the ledger: what users got, what went wrong, what people say about it. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../config/service/schema/kinds.ts";
import { FORMATS, type ReportFormat } from "../console/report/format.ts";
import { type Month, parseMonth } from "../console/report/month.ts";
import { type Language, LANGUAGES } from "../console/report/words.ts";
import type { Wiring } from "./balance-commands.ts";
import { ConsoleClient } from "./console-client.ts";
import type { IncidentSource } from "./incidents.ts";

export function addEvidenceCommands(program: Command, wiring: Wiring): void {
  addReport(program, wiring);
  addObjectives(program, wiring);
  const group = program
    .command("incidents")
    .description("what went wrong: when, how bad, how it was noticed and mended, whose it was");
  addReading(group, wiring);
  addOrders(group, wiring);
  addMaintenance(program, wiring);
}

interface ReportFlags {
  readonly stateDir: string;
  readonly month?: Month;
  readonly service?: string;
  readonly format: ReportFormat;
  readonly lang: Language;
  readonly output?: string;
  readonly recompute?: boolean;
}

function addReport(program: Command, { terminal, end, withDirectories }: Wiring): void {
  withDirectories(program.command("report"), true)
    .description("the availability report of a month; needs no running daemon")
    .option("--month <month>", "2026-11; default: this one", toMonth)
    .option("--service <name>", "only this one")
    .addOption(new Option("--format <format>", "its form").choices(FORMATS).default("md"))
    .addOption(new Option("--lang <language>", "its language").choices(LANGUAGES).default("en"))
    .option("-o, --output <file>", "write it there; default: standard output")
    .option("--recompute", "count its figures anew from the raw records, by other code")
    .action(async ({ recompute = false, ...given }: ReportFlags) => {
      const { report } = await import("./report.ts");
      end(report({ ...given, recompute }, terminal));
    });
}

function addObjectives(program: Command, { terminal, end, withDirectories }: Wiring): void {
  withDirectories(program.command("objectives"), false)
    .description("what services should give, what is left of the budget, how fast it goes")
    .option("--json", "JSON lines")
    .action(async ({ runDir, json = false }: ReadingFlags & OrderFlags) => {
      const { objectives } = await import("./objectives.ts");
      end(await objectives(new ConsoleClient(runDir), { json }, terminal));
    });
}

interface ReadingFlags {
  readonly stateDir: string;
  readonly json?: boolean;
  readonly all?: boolean;
  readonly service?: string;
}

function addReading(group: Command, { terminal, end, withDirectories }: Wiring): void {
  withDirectories(group.command("list", { isDefault: true }), true)
    .description("of all nodes, newest last; of this one's journal when no daemon runs")
    .option("--service <name>", "only of this one")
    .option("--all", "false starts and dismissed ones, too")
    .option("--json", "JSON lines")
    .action(async (given: ReadingFlags & OrderFlags, command: Command) => {
      const { listIncidents } = await import("./incidents.ts");
      const { json = false, all = false, service } = given;
      const options = { ...sourceOf(given, command), json, all };
      end(await listIncidents(service === undefined ? options : { ...options, service }, terminal));
    });
  withDirectories(group.command("show"), true)
    .description("everything that is known of one; ID@NODE: of that node's journal")
    .argument("<id>")
    .option("--json", "for machines")
    .action(async (id: string, given: ReadingFlags & OrderFlags, command: Command) => {
      const { showIncident } = await import("./incidents.ts");
      const { json = false } = given;
      end(await showIncident(id, { ...sourceOf(given, command), json }, terminal));
    });
}

/** Whoever names a state directory wants what is there, and no other node's. */
function sourceOf(
  { stateDir, runDir }: ReadingFlags & OrderFlags,
  command: Command,
): IncidentSource {
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === "cli";
  return isGiven("stateDir") && !isGiven("runDir")
    ? { stateDir }
    : { stateDir, client: new ConsoleClient(runDir) };
}

interface OrderFlags {
  readonly runDir: string;
  readonly reason?: string;
}

function addOrders(group: Command, { terminal, end, withDirectories }: Wiring): void {
  withDirectories(group.command("annotate"), false)
    .description("add a note, for good")
    .argument("<id>")
    .argument("<text>")
    .action(async (id: string, text: string, { runDir }: OrderFlags) => {
      const { orderIncident } = await import("./incidents.ts");
      const order = { id, what: "annotations", body: { text } } as const;
      end(await orderIncident(new ConsoleClient(runDir), order, terminal));
    });
  withDirectories(group.command("class"), false)
    .description("another class; none: it counts for nothing")
    .argument("<id>")
    .argument("<class>", "accident, A, B, C or none")
    .requiredOption("--reason <text>", "why")
    .action(async (id: string, wanted: string, { runDir, reason }: OrderFlags) => {
      const { orderIncident } = await import("./incidents.ts");
      const order = { id, what: "class", body: { class: wanted, reason } } as const;
      end(await orderIncident(new ConsoleClient(runDir), order, terminal));
    });
  withDirectories(group.command("owner"), false)
    .description("whose it was, in percent that make 100")
    .argument("<id>")
    .argument("<shares...>", "network=60 platform=40")
    .requiredOption("--reason <text>", "why")
    .action(async (id: string, shares: string[], { runDir, reason }: OrderFlags) => {
      const { orderIncident } = await import("./incidents.ts");
      const order = { id, what: "owners", body: { owners: shares.join(" "), reason } } as const;
      end(await orderIncident(new ConsoleClient(runDir), order, terminal));
    });
  withDirectories(group.command("close"), false)
    .description("it is over, whatever part is still missing (a server that will not come back)")
    .argument("<id>")
    .requiredOption("--reason <text>", "why")
    .action(async (id: string, { runDir, reason }: OrderFlags) => {
      const { orderIncident } = await import("./incidents.ts");
      const order = { id, what: "settle", body: { reason } } as const;
      end(await orderIncident(new ConsoleClient(runDir), order, terminal));
    });
}

interface MaintenanceFlags {
  readonly runDir: string;
  readonly service?: string;
  readonly reason: string;
  readonly for?: number;
}

function addMaintenance(program: Command, { terminal, end, withDirectories }: Wiring): void {
  const group = program
    .command("maintenance")
    .description("planned times, left out of availability and scores");
  withDirectories(group.command("start"), false)
    .description("begin one now")
    .option("--service <name>", "default: all")
    .option("--for <time>", "it ends by itself then, e.g. 2h", toDuration)
    .requiredOption("--reason <text>", "for the report")
    .action(async ({ runDir, service, reason, for: forMs }: MaintenanceFlags) => {
      const { startMaintenance } = await import("./maintenance.ts");
      const order = {
        reason,
        ...(service === undefined ? {} : { service }),
        ...(forMs === undefined ? {} : { forMs }),
      };
      end(await startMaintenance(new ConsoleClient(runDir), order, terminal));
    });
  withDirectories(group.command("end"), false)
    .description("end what was begun by hand")
    .option("--service <name>", "default: all")
    .action(async ({ runDir, service }: MaintenanceFlags) => {
      const { endMaintenance } = await import("./maintenance.ts");
      end(await endMaintenance(new ConsoleClient(runDir), service, terminal));
    });
  withDirectories(group.command("list"), false)
    .description("those of nines.yaml and those that were begun by hand")
    .action(async ({ runDir }: MaintenanceFlags) => {
      const { listMaintenance } = await import("./maintenance.ts");
      end(await listMaintenance(new ConsoleClient(runDir), terminal));
    });
}

function toMonth(text: string): Month {
  const month = parseMonth(text);
  if (month === undefined) throw new InvalidArgumentError("write 2026-11");
  return month;
}

function toDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1000) throw new InvalidArgumentError("write 30m or 2h");
  return ms;
}
