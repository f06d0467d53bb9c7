/**
 * `npm run bench -- hostile [--seconds S] [--runs N] [--only TEXT]`: what clients that mean ill cost
 * the others, and how much memory. Each of N rounds (3) has every attack, with a calm window of S seconds
 * (15) just before; figures are medians of the rounds. Needs what `scripts/lab-setup` installs, as root.
 */

import { parseArgs } from "node:util";
import { formatTable } from "../src/lib/table.ts";
import { ATTACKS, attackRows, type AttackRow } from "../test/kit/hostile-stage.ts";
import { median } from "./median.ts";
import { named, positive, wholeNumber } from "./options.ts";

const HEAD = [
  "attack",
  "clients",
  "others' requests",
  "failed",
  "p50 calm, attacked",
  "p99 calm, attacked",
  "ratio",
  "RSS MiB before, peak, after",
];

export async function hostileBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: "string", default: "15" },
      runs: { type: "string", default: "3" },
      only: { type: "string" },
    },
  });
  const seconds = positive("seconds", values.seconds);
  const runs = wholeNumber("runs", values.runs);
  const kinds = ATTACKS.map((attack) => ({ ...attack, name: attack.kind }));
  const attacks = named(kinds, ["only", values.only]);
  const seen: AttackRow[] = [];
  const rounds = Array.from({ length: runs }, () => attacks).flat();
  await attackRows(rounds, seconds * 1000, (row) => {
    seen.push(row);
    console.error(cells([row]).join("  "), JSON.stringify(row.told));
  });
  const rows = attacks.map(({ kind }) => cells(seen.filter((row) => row.kind === kind)));
  console.log(formatTable(HEAD, rows).join("\n"));
}

/** Medians of one attack's rounds; what failed is added up. */
function cells(rounds: readonly AttackRow[]): string[] {
  const { kind, clients } = rounds[0]!;
  const of = (pick: (row: AttackRow) => number): number => median(rounds.map(pick));
  const ms = (pick: (row: AttackRow) => number): string => of(pick).toFixed(1);
  const mib = (pick: (row: AttackRow) => number): string => of(pick).toFixed(0);
  return [
    kind,
    String(clients),
    String(of(({ attacked }) => attacked.good + attacked.failed)),
    String(rounds.reduce((sum, { attacked }) => sum + attacked.failed, 0)),
    `${ms((row) => row.calm.p50Ms)}, ${ms((row) => row.attacked.p50Ms)}`,
    `${ms((row) => row.calm.p99Ms)}, ${ms((row) => row.attacked.p99Ms)}`,
    of(({ calm, attacked }) => attacked.p99Ms / calm.p99Ms).toFixed(2),
    `${mib((row) => row.rssBeforeMiB)}, ${mib((row) => row.rssPeakMiB)}, ${mib((row) => row.rssAfterMiB)}`,
  ];
}
