/**
 * `npm run bench -- vrrp [--runs N] [--adverts 1,0.1,0.01] [--only "power off"] [--idle]`
 *
 * Nines beside Debian's keepalived, in turn, in the same kind of world, on this machine. A client
 * sends one probe a millisecond to the virtual address; outage is the longest time between two
 * answers after the fault. The phase of the fault against the adverts is random.
 */

import { parseArgs } from "node:util";
import { monotonicMs } from "../src/drivers/clock.ts";
import { measureOutage } from "../src/lab/probe-record.ts";
import { pause } from "../src/lab/wait.ts";
import { formatTable } from "../src/lib/table.ts";
import { implementations, type Implementation } from "./vrrp-daemons.ts";
import { startDuel, VIRTUAL_ADDRESS } from "./vrrp-duel.ts";
import { idleCost } from "./vrrp-idle.ts";
import { scenarios, type Scenario } from "./vrrp-scenarios.ts";

interface Run {
  readonly outageMs: number;
  /** How long after the fault both kernels had the address; measured at the end of the watch. */
  readonly twoOwners: boolean;
}

export async function vrrpBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: "string", default: "5" },
      adverts: { type: "string", default: "1,0.1,0.01" },
      only: { type: "string" },
      idle: { type: "boolean", default: false },
    },
  });
  const adverts = values.adverts.split(",").map(Number);
  const chosen = scenarios.filter((s) => values.only === undefined || s.name === values.only);
  if (!values.idle) await compareOutages(chosen, adverts, Number(values.runs));
  if (values.only === undefined) await idleCost();
}

async function compareOutages(
  chosen: readonly Scenario[],
  adverts: readonly number[],
  runs: number,
): Promise<void> {
  const rows: string[][] = [];
  for (const advertSeconds of adverts) {
    for (const scenario of chosen) {
      const results: Record<Implementation, Run[]> = { keepalived: [], nines: [] };
      for (let i = 0; i < runs; i++) {
        for (const implementation of implementations) {
          results[implementation].push(await runOnce(scenario, { implementation, advertSeconds }));
        }
      }
      const row = rowOf(scenario, advertSeconds, results);
      console.error(row.join("  "));
      rows.push(row);
    }
  }
  console.log(`\nclient-side outage, ms: min / median / max of ${runs} runs each`);
  const head = ["advert", "scenario", "keepalived", "nines", "ratio", "two owners at the end"];
  console.log(formatTable(head, rows).join("\n"));
}

async function runOnce(
  scenario: Scenario,
  options: { implementation: Implementation; advertSeconds: number },
): Promise<Run> {
  const duel = await startDuel(options);
  try {
    await pause(500 + Math.random() * 1000);
    await scenario.before?.(duel);
    const faultMs = monotonicMs();
    await scenario.act(duel);
    await pause(scenario.watch * duel.masterDownMs + 1500);
    const { outageMs } = measureOutage(await duel.probe.stop(), faultMs);
    const holders = await Promise.all(
      ["lb1", "lb2"].map(async (name) => {
        const host = duel.world.host(name);
        return host.isOn && (await host.holds(VIRTUAL_ADDRESS));
      }),
    );
    return { outageMs, twoOwners: holders.every(Boolean) };
  } finally {
    duel.world.destroy();
  }
}

function rowOf(
  scenario: Scenario,
  advertSeconds: number,
  results: Record<Implementation, Run[]>,
): string[] {
  const ratio = median(results.keepalived) / median(results.nines);
  const owners = implementations.filter((i) => results[i].some((r) => r.twoOwners));
  return [
    `${advertSeconds} s`,
    scenario.name,
    range(results.keepalived),
    range(results.nines),
    `${ratio.toFixed(1)}x`,
    owners.join(", ") || "-",
  ];
}

function median(runs: readonly Run[]): number {
  const sorted = runs.map((r) => r.outageMs).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function range(runs: readonly Run[]): string {
  const sorted = runs.map((r) => r.outageMs).sort((a, b) => a - b);
  return [sorted[0]!, median(runs), sorted.at(-1)!].map((v) => v.toFixed(0)).join(" / ");
}
