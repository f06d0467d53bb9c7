/** Subcommands that read the journal: named, described and wired. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../config/service/schema/kinds.ts";
import { ControlClient } from "../daemon/control-client.ts";
import { runDirectory } from "../daemon/run-directory.ts";
import type { Wiring } from "./balance-commands.ts";
import type { Since } from "./events.ts";

const LEVELS = ["info", "warning", "error"] as const;
const SHOWN = 1_000;

export function addJournalCommands(program: Command, wiring: Wiring): void {
  const { terminal, end, withDirectories } = wiring;
  withDirectories(program.command("events"), true)
    .description("what happened, newest last: from the journal, also when nothing runs")
    .option("-f, --follow", "go on with what happens from now on")
    .option("--since <when>", "10m, 2026-11-21T08:00, or a number: what comes after it", parseWhen)
    .option("--until <when>", "as --since", parseWhen)
    .option("-n, --lines <count>", "the newest ones, where no --since says more", parseLines, SHOWN)
    .option("--subject <name>", "instance, pool, pool/server, pool/*, frontend, service")
    .option("--kind <kind>", "state-changed, server-down, role-ended ...")
    .option("--node <name>", "which node wrote it")
    .addOption(new Option("--level <level>", "this and worse").choices(LEVELS))
    .option("--merged <files...>", "journals of several nodes as one story, by cause and effect")
    .option("--json", "JSON lines")
    .action(async (given: EventFlags) => {
      const { events } = await import("./events.ts");
      const { runDir, follow = false, json = false, ...options } = given;
      const client = new ControlClient(runDirectory(runDir).controlSocket);
      end(await events(client, { ...options, follow, json }, terminal));
    });
}

interface EventFlags {
  readonly runDir: string;
  readonly stateDir: string;
  readonly follow?: boolean;
  readonly json?: boolean;
  readonly since?: Since;
  readonly until?: Since;
  readonly lines: number;
  readonly subject?: string;
  readonly kind?: string;
  readonly node?: string;
  readonly level?: (typeof LEVELS)[number];
  readonly merged?: readonly string[];
}

/** A number of an event, a time, or how long ago. */
export function parseWhen(text: string): Since {
  if (/^\d+$/u.test(text)) return { seq: Number(text) };
  const agoMs = parseDuration(text);
  if (agoMs !== undefined) return { agoMs };
  const wallMs = Date.parse(text);
  if (!Number.isNaN(wallMs)) return { wallMs };
  throw new InvalidArgumentError("write 10m, 2026-11-21T08:00, or the number of an event");
}

function parseLines(text: string): number {
  const count = Number(text);
  if (/^\d+$/u.test(text) && Number.isSafeInteger(count)) return count;
  throw new InvalidArgumentError("not a whole number");
}
