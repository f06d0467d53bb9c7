/**
 * `npm run bench -- faults [--only NAME] [--peer Nines] [--runs 1] [--seconds 100]`
 *
 * The same users on nginx, HAProxy and Nines, each in a world of its own, while a server or the
 * balancer itself is in trouble. All requests are GETs, so each could be answered by somebody.
 */

import { parseArgs } from "node:util";
import { pause } from "../src/lab/wait.ts";
import { formatTable } from "../src/lib/table.ts";
import { startPeer, type Wanted } from "./faults-peers.ts";
import { play, scenarios, type FaultScenario } from "./faults-scenarios.ts";
import { FaultStage, SERVERS, type LoadTotals } from "./faults-stage.ts";
import { implementations, type Implementation } from "./http-peers.ts";
import { requireTools, versionsText } from "./http-stage.ts";
import { named, wholeNumber } from "./options.ts";

const WANTED: Wanted = { version: 0, servers: SERVERS, checkEveryMs: 500 };
/** Users ask for so long before the fault. */
const BEFORE_MS = 2000;

export async function faultsBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      peer: { type: "string" },
      runs: { type: "string", default: "1" },
      seconds: { type: "string", default: "100" },
    },
  });
  const chosen = named(scenarios, ["only", values.only]);
  const known = implementations.map((name) => ({ name }));
  const peers = named(known, ["peer", values.peer]);
  const runs = wholeNumber("runs", values.runs);
  const seconds = wholeNumber("seconds", values.seconds);
  requireTools("nginx", "haproxy", "nft");
  console.log(`${versionsText()}\n`);
  const rows: string[][] = [];
  for (const scenario of chosen) {
    for (let run = 0; run < runs; run++) {
      for (const { name: peer } of peers) {
        const row = rowOf(scenario, peer, await runOnce(scenario, peer, seconds));
        console.error(row.join("  "));
        rows.push(row);
      }
    }
  }
  const head = ["fault", "", "requests", "failed", "late (> 1 s)", "longest", "how they failed"];
  console.log(`\n${formatTable(head, rows).join("\n")}`);
}

async function runOnce(
  scenario: FaultScenario,
  peer: Implementation,
  seconds: number,
): Promise<LoadTotals> {
  const stage = await FaultStage.create();
  try {
    const balancer = await startPeer(peer, stage.lb, WANTED);
    await pause(1000);
    const stop = await stage.startLoad();
    await pause(BEFORE_MS);
    await play(scenario, { stage, balancer, wanted: WANTED, seconds });
    return await stop();
  } catch (error) {
    if (error instanceof Error) error.message += `\n${stage.world.report()}`;
    throw error;
  } finally {
    stage.world.destroy();
  }
}

function rowOf(scenario: FaultScenario, peer: Implementation, totals: LoadTotals): string[] {
  const { requests, failed, late, longestMs, reasons } = totals;
  const how = Object.entries(reasons).map(([reason, count]) => `${count} x ${reason}`);
  const figures = [requests, failed, late].map(String);
  return [scenario.name, peer, ...figures, `${Math.round(longestMs)} ms`, how.join(", ") || "-"];
}
