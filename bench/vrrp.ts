/**
 * `npm run bench -- vrrp [--runs N] [--adverts 1,0.1,0.01] [--only "power off"] [--idle] [--instances 255]`
 *
 * Nines beside Debian's keepalived, in turn, in the same kind of world, on this machine. A client
 * sends one probe a millisecond to the virtual address; outage is the longest time between two
 * answers after the fault. Faults strike in the middle between two adverts, as far as their commands
 * take as long as they did in a rehearsal; what is counted from the last advert that the client heard of the
 * one that had answered does not depend on that.
 */

import { parseArgs } from "node:util";
import { monotonicMs } from "../src/drivers/clock.ts";
import type { Host } from "../src/lab/host.ts";
import { measureOutage } from "../src/core/drill/probe-record.ts";
import { pause } from "../src/lab/wait.ts";
import { formatTable } from "../src/lib/table.ts";
import { sinceLastAdvertMs } from "./advert-watch.ts";
import { median } from "./median.ts";
import { named, positives, wholeNumber } from "./options.ts";
import { implementations, type Implementation } from "./vrrp-daemons.ts";
import { advertsOf, startDuel, VIRTUAL_ADDRESS } from "./vrrp-duel.ts";
import { idleCost } from "./vrrp-idle.ts";
import { leadOf, scenarios, type Scenario } from "./vrrp-scenarios.ts";

interface Run {
  readonly outageMs: number;
  /** From the last advert to the first answer of the other server; undefined = it never answered. */
  readonly sinceAdvertMs: number | undefined;
  /** At the end of the watch the address is answered from two MACs. */
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
      instances: { type: "string", default: "1,100,255" },
    },
  });
  const adverts = positives("adverts", values.adverts);
  const instances = positives("instances", values.instances);
  const runs = wholeNumber("runs", values.runs);
  const chosen = named(scenarios, ["only", values.only]);
  if (!values.idle) await compareOutages(chosen, adverts, runs);
  if (values.only !== undefined) return;
  await idleCost(instances, adverts);
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
  console.log("and from the last advert of the one before to the first answer of the other");
  const head = [
    "advert",
    "scenario",
    "keepalived",
    "nines",
    "ratio",
    "two owners at the end",
    "keepalived, since the last advert",
    "nines",
  ];
  console.log(formatTable(head, rows).join("\n"));
}

async function runOnce(
  scenario: Scenario,
  options: { implementation: Implementation; advertSeconds: number },
): Promise<Run> {
  const duel = await startDuel(options);
  try {
    await pause(500);
    await scenario.before?.(duel);
    const leadMs = await leadOf(scenario, duel);
    await duel.adverts.untilHalfway(options.advertSeconds * 1000, leadMs);
    const faultMs = monotonicMs();
    await scenario.act(duel);
    await pause(scenario.watch * duel.masterDownMs + 1500);
    const record = await duel.probe.stop();
    const { outageMs } = measureOutage(record, faultMs);
    const sinceAdvertMs = sinceLastAdvertMs(record, faultMs, (by) => advertsOf(duel, by));
    return {
      outageMs,
      sinceAdvertMs,
      twoOwners: (await answeringMacs(duel.world.host("client"))) > 1,
    };
  } finally {
    duel.world.destroy();
  }
}

/** Who says "that is me" when the client asks for the address. */
async function answeringMacs(client: Host): Promise<number> {
  const ask = `arping -c 3 -w 2 -I eth0 ${VIRTUAL_ADDRESS} || true`;
  const answers = await client.run(["sh", "-c", ask]);
  return new Set(answers.match(/\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b/g)).size;
}

function rowOf(
  scenario: Scenario,
  advertSeconds: number,
  results: Record<Implementation, Run[]>,
): string[] {
  const [keepalived, nines] = implementations.map((i) => results[i].map((r) => r.outageMs));
  const owners = implementations.filter((i) => results[i].some((r) => r.twoOwners));
  const since = implementations.map((i) => results[i].flatMap((r) => r.sinceAdvertMs ?? []));
  return [
    `${advertSeconds} s`,
    scenario.name,
    range(keepalived!, 0),
    range(nines!, 0),
    `${(median(keepalived!) / median(nines!)).toFixed(1)}x`,
    owners.join(", ") || "-",
    ...since.map((values) => range(values, 1)),
  ];
}

function range(values: readonly number[], digits: number): string {
  if (values.length === 0) return "-";
  const ends = [Math.min(...values), median(values), Math.max(...values)];
  return ends.map((value) => value.toFixed(digits)).join(" / ");
}
