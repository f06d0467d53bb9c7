/** Subcommands about how available a service can be and is: named, described and wired. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_STATE_DIRECTORY } from "../daemon/run-directory.ts";
import type { Wiring } from "./balance-commands.ts";
import { type Language, LANGUAGES } from "./estimate-words.ts";

const EVENTS = 4_000_000;
const MOST_EVENTS = 1_000_000_000;

export function addEstimateCommands(program: Command, { terminal, end }: Wiring): void {
  program
    .command("estimate")
    .description("availability of an architecture on paper, and what gives the next nine")
    .argument("<file>", "parts with MTTF and MTTR, and how they stand together: docs/estimate.md")
    .option("--monte-carlo [events]", "live it through as well; default 4,000,000", parseEvents)
    .option("--seed <n>", "of the simulation", parseSeed, 1)
    .option("--measured <file>", "JSON: figures that were measured, by part and group")
    .option(
      "--from-journal [dir]",
      "the same from the journal of a node; default: its state directory",
    )
    .addOption(
      new Option("--lang <language>", "of the table").choices(LANGUAGES).default(LANGUAGES[0]),
    )
    .option("--json", "for machines")
    .action(async (file: string, given: EstimateFlags) => {
      const { estimateFile } = await import("./estimate.ts");
      const { monteCarlo, measured, fromJournal, lang: language, seed, json = false } = given;
      const journal = fromJournal === true ? DEFAULT_STATE_DIRECTORY : fromJournal;
      const events = monteCarlo === true ? EVENTS : monteCarlo;
      const options = {
        ...(events === undefined ? {} : { events }),
        ...(journal === undefined ? {} : { journal }),
        ...(measured === undefined ? {} : { measuredFile: measured }),
      };
      end(estimateFile({ file, json, language, seed, ...options }, terminal));
    });
}

interface EstimateFlags {
  readonly json?: boolean;
  readonly lang: Language;
  readonly monteCarlo?: true | number;
  readonly seed: number;
  readonly measured?: string;
  readonly fromJournal?: true | string;
}

function parseEvents(text: string): number {
  const events = Number(text.replaceAll(",", ""));
  if (events >= 1000 && events <= MOST_EVENTS) return Math.round(events);
  throw new InvalidArgumentError("1000 events or more, e.g. 4000000");
}

function parseSeed(text: string): number {
  if (/^\d{1,10}$/u.test(text)) return Number(text);
  throw new InvalidArgumentError("a whole number");
}
