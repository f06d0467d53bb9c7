/**
 * `npm run bench -- hostile [--seconds N]`: clients that mean ill, and what the others notice of
 * them. Each row is measured beside its own calm window of the same length, just before it.
 */

import { parseArgs } from "node:util";
import { formatTable } from "../src/lib/table.ts";
import { ATTACKS, attackRows, type AttackRow } from "../test/kit/hostile-stage.ts";
import { positive } from "./options.ts";

export async function hostileBench(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { seconds: { type: "string", default: "15" } } });
  const seconds = positive("seconds", values.seconds);
  const rows: string[][] = [];
  await attackRows(ATTACKS, seconds * 1000, (row) => {
    rows.push(cells(row));
    console.error(rows.at(-1)!.join("  "), JSON.stringify(row.told));
  });
  const head = [
    "attack",
    "clients",
    "others' requests",
    "failed",
    "p50 calm, attacked",
    "p99 calm, attacked",
    "ratio",
    "RSS MiB before, peak, after",
  ];
  console.log(formatTable(head, rows).join("\n"));
}

function cells(row: AttackRow): string[] {
  const { kind, clients, calm, attacked } = row;
  const ms = (value: number): string => value.toFixed(1);
  return [
    kind,
    String(clients),
    String(attacked.good + attacked.failed),
    String(attacked.failed),
    `${ms(calm.p50Ms)}, ${ms(attacked.p50Ms)}`,
    `${ms(calm.p99Ms)}, ${ms(attacked.p99Ms)}`,
    (attacked.p99Ms / calm.p99Ms).toFixed(2),
    `${row.rssBeforeMiB}, ${row.rssPeakMiB}, ${row.rssAfterMiB}`,
  ];
}
