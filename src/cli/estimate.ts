/** `nines estimate FILE`: what availability an architecture can have, and what would improve it. */

import { readFileSync } from "node:fs";
import { formatDiagnostic } from "../config/diagnostic.ts";
import { openLedgerFile } from "../console/ledger-reading.ts";
import { measuredByDrills, measuredInJournal } from "../console/measured-parts.ts";
import type { Architecture } from "../core/estimate/architecture.ts";
import { readEstimate } from "../config/estimate/read-estimate.ts";
import { type Estimate, estimate } from "../core/estimate/estimate.ts";
import {
  FEW_SAMPLES,
  type MeasuredArchitecture,
  type MeasuredPart,
  measuredSubjects,
  withMeasured,
} from "../core/estimate/measured.ts";
import { availabilityText, minutesPerYear, MS_PER_YEAR, nextNine } from "../core/estimate/nines.ts";
import { simulate, type SimulationResult } from "../core/estimate/simulation.ts";
import { formatDuration } from "../lib/duration.ts";
import { formatTable } from "../lib/table.ts";
import {
  changeText,
  type EstimateWords,
  type Language,
  shareText,
  wordsOf,
} from "./estimate-words.ts";
import { paint, type ExitCode, type Terminal } from "./terminal.ts";

export interface EstimateOptions {
  readonly file: string;
  readonly json: boolean;
  readonly language: Language;
  /** Events to simulate; absent: formulas only. */
  readonly events?: number;
  readonly seed: number;
  /** JSON: an array of MeasuredPart. */
  readonly measuredFile?: string;
  /** State directory of a node whose journal tells. */
  readonly journal?: string;
}

const MOST_CHANGES = 12;

export function estimateFile(options: EstimateOptions, terminal: Terminal): ExitCode {
  const { architecture, diagnostics, sourceLine } = readEstimate(options.file);
  for (const one of diagnostics) terminal.err(formatDiagnostic(one, sourceLine(one)));
  if (architecture === undefined) return 2;
  const measured = measuredFor(architecture, options, terminal);
  if (typeof measured === "string") {
    terminal.err(`nines: ${measured}`);
    return 2;
  }
  const input = withMeasured(architecture, measured);
  const result = estimate(input.architecture);
  const { events, seed } = options;
  const { system } = input.architecture;
  const simulated = events === undefined ? undefined : simulate(system, { seed, events });
  if (options.json) {
    const { used, unfailing } = input;
    terminal.out(
      JSON.stringify({ ...result, measured: used, unfailing, monteCarlo: simulated }, undefined, 2),
    );
    return 0;
  }
  const words = wordsOf(options.language);
  for (const line of [
    ...head(result, words, terminal),
    ...(simulated === undefined ? [] : simulationLines(simulated, result, words)),
    ...measuredLines(input, words),
    ...failoverLines(result, words),
    ...contributionLines(result, words),
    ...improvementLines(result, words, terminal),
  ]) {
    terminal.out(line);
  }
  return 0;
}

/** A sentence when there is nothing to read. */
function measuredFor(
  architecture: Architecture,
  { measuredFile, journal }: EstimateOptions,
  terminal: Terminal,
): readonly MeasuredPart[] | string {
  const written = measuredFile === undefined ? [] : readMeasured(measuredFile);
  if (typeof written === "string" || journal === undefined) return written;
  const subjects = measuredSubjects(architecture);
  const drilled = measuredByDrills(journal, subjects);
  const file = openLedgerFile(journal);
  // Drills in the lab leave no journal behind.
  if (typeof file === "string") return drilled.length > 0 ? [...drilled, ...written] : file;
  const { measured, unheard } = measuredInJournal(file, subjects, Date.now());
  for (const subject of unheard) {
    terminal.err(`nines: no record names '${subject}': it never failed, or is called otherwise`);
  }
  // What was written by hand counts.
  return [...measured, ...drilled, ...written];
}

function readMeasured(path: string): readonly MeasuredPart[] | string {
  try {
    const data: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (Array.isArray(data) && data.every(isMeasured)) return data;
    return `${path}: not a list of { subject, observedMs, failures, downMs }`;
  } catch (error) {
    return `${path}: ${(error as Error).message}`;
  }
}

function isMeasured(one: unknown): one is MeasuredPart {
  if (typeof one !== "object" || one === null) return false;
  const { subject, observedMs, failures, downMs } = one as Record<string, unknown>;
  return (
    typeof subject === "string" &&
    [observedMs, failures, downMs].every((value) => typeof value === "number" && value >= 0)
  );
}

function head(result: Estimate, words: EstimateWords, terminal: Terminal): string[] {
  const { unavailability, nines, outagesPerYear, meanOutageMs, name } = result;
  const figures = [
    `${words.availability} ${availabilityText(unavailability)}`,
    `${nines.toFixed(2)} ${words.nines}`,
    `${minutesText(result.minutesPerYear)} ${words.minutes}`,
  ].join("  ");
  const every = formatDuration(MS_PER_YEAR / outagesPerYear);
  const outages =
    outagesPerYear === 0 ? words.never : words.outages(every, formatDuration(meanOutageMs));
  return [`${paint(terminal, "bold", name)}: ${figures}`, outages];
}

function simulationLines(
  simulated: SimulationResult,
  { unavailability }: Estimate,
  words: EstimateWords,
): string[] {
  const { halfWidth, outages, simulatedMs, seed } = simulated;
  const isNear = Math.abs(simulated.unavailability - unavailability) <= halfWidth;
  const width = minutesText(minutesPerYear(halfWidth));
  const minutes = minutesText(minutesPerYear(simulated.unavailability));
  const years = (simulatedMs / MS_PER_YEAR).toPrecision(3);
  return [
    `${words.simulation}: ${availabilityText(simulated.unavailability)}  ${minutes} ± ${width} ${words.minutes} (95 %)  --seed ${seed}, ${Number(years)} y, ${outages}: ${isNear ? words.agree : words.disagree}`,
    ...(simulated.hasOtherSpreads ? [words.spreads] : []),
  ];
}

function measuredLines({ used, unfailing }: MeasuredArchitecture, words: EstimateWords): string[] {
  if (used.length === 0 && unfailing.length === 0) return [];
  const text = (figure: string, value: number): string =>
    figure === "coverage" ? shareText(value) : formatDuration(value);
  const rows = used.map(({ subject, figure, written, measured, samples }) => [
    subject,
    words.figures[figure],
    text(figure, measured),
    text(figure, written),
    samples < FEW_SAMPLES ? `${samples} (${words.few})` : String(samples),
  ]);
  const table = formatTable([words.part, "", words.measured, words.written, words.samples], rows);
  return [
    "",
    ...(used.length === 0 ? [] : table),
    ...unfailing.map(({ subject, observedMs }) =>
      words.unfailing(subject, formatDuration(observedMs)),
    ),
  ];
}

function failoverLines({ failovers }: Estimate, words: EstimateWords): string[] {
  if (failovers.length === 0) return [];
  const { group, switching, uncovered, allDown, minutes } = words;
  const columns = [switching, uncovered, allDown].map((word) => `${word} ${minutes}`);
  return [
    "",
    ...formatTable(
      [group, ...columns],
      failovers.map((one) => [
        one.name,
        minutesText(one.switching),
        minutesText(one.uncovered),
        minutesText(one.allDown),
      ]),
    ),
  ];
}

function contributionLines({ contributions }: Estimate, words: EstimateWords): string[] {
  const rows = contributions.map((one) => [
    one.part,
    availabilityText(one.unavailability),
    minutesText(one.minutesPerYear),
    one.birnbaum.toPrecision(3),
  ]);
  return ["", ...formatTable([words.part, words.alone, words.costs, words.birnbaum], rows)];
}

function improvementLines(
  { unavailability, improvements }: Estimate,
  words: EstimateWords,
  terminal: Terminal,
): string[] {
  const goal = nextNine(unavailability);
  const { single, together } = improvements;
  const rows = single
    .slice(0, MOST_CHANGES)
    .map(({ change, minutesGained, unavailability: after, bringsNine }) => [
      changeText(change, words),
      minutesText(minutesGained),
      availabilityText(after),
      bringsNine ? words.brings : "",
    ]);
  const title = words.nextNine(availabilityText(goal), minutesText(minutesPerYear(goal)));
  const isOne = single.some(({ bringsNine }) => bringsNine);
  const steps = together.map(
    ({ change, unavailability: after }, i) =>
      `  ${i + 1}. ${changeText(change, words)}: ${availabilityText(after)}`,
  );
  return [
    "",
    paint(terminal, "bold", title),
    ...formatTable([words.change, words.gain, words.afterwards, words.next], rows),
    ...(isOne ? [] : steps.length === 0 ? [words.unreachable] : [`${words.together}:`, ...steps]),
  ];
}

/** Three digits that matter; seconds of a year matter to those who have six nines. */
function minutesText(minutes: number): string {
  if (minutes >= 99.95) return minutes.toFixed(0);
  if (minutes >= 9.995) return minutes.toFixed(1);
  return minutes >= 0.0095 || minutes === 0 ? minutes.toFixed(2) : minutes.toPrecision(2);
}
