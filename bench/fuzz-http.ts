/**
 * `npm run fuzz -- http [--count N] [--seed N]`: N mutated requests (default 100,000) through a real
 * balancer to nginx, HAProxy and node:http. No request may be counted differently by the two sides,
 * and every answer must be that of its own request. Needs what `scripts/lab-setup` installs.
 */

import { parseArgs } from "node:util";
import { formatTable } from "../src/lib/table.ts";
import { fuzzHttp } from "../test/kit/http-fuzz-stage.ts";

const SHOWN = 20;

export async function httpFuzz(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: "string", default: "100000" },
      seed: { type: "string", default: "1" },
    },
  });
  const seed = Number(values.seed);
  const run = await fuzzHttp(Number(values.count), seed);
  const { verdict } = run;
  const seconds = run.seconds.toFixed(1);
  console.log(
    `${run.mutated} mutated requests on ${run.connections} connections in ${seconds} s, seed ${seed}`,
  );
  console.table(verdict.endings);
  const head = [
    "server",
    "forwarded",
    "complete",
    "broken off",
    "refused there",
    "counted",
    "on connections",
  ];
  const rows = verdict.servers.map((one) =>
    [
      one.server,
      one.forwarded,
      one.complete,
      one.broken,
      one.refused,
      one.counted,
      one.connections,
    ].map(String),
  );
  console.log(formatTable(head, rows).join("\n"));
  console.log(`${verdict.answered} answers of servers, each compared with its own request`);
  for (const difference of verdict.differences.slice(0, SHOWN)) console.error(difference);
  console.log(`${verdict.differences.length} differences`);
  if (verdict.differences.length > 0) process.exitCode = 1;
}
