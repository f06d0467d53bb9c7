/** What remembering costs, and whether it keeps up: `npm run bench -- evidence [--only cost,stream,query,page,servers]`. */

import { parseArgs } from "node:util";
import { costBench } from "./evidence-cost.ts";
import { pageBench } from "./evidence-page.ts";
import { queryBench } from "./evidence-query.ts";
import { serversBench } from "./evidence-servers.ts";
import { streamBench } from "./evidence-stream.ts";
import { namesOf, positive, wholeNumber } from "./options.ts";

const PARTS = {
  cost: ({ rounds, seconds }: Sizes) => costBench(rounds, seconds),
  stream: ({ span }: Sizes) => streamBench(10_000, span),
  query: ({ rows }: Sizes) => queryBench(rows),
  page: ({ rounds }: Sizes) => pageBench(rounds, 60),
  servers: ({ servers }: Sizes) => serversBench(servers, 60),
} as const;

interface Sizes {
  readonly rounds: number;
  readonly seconds: number;
  readonly span: number;
  readonly rows: number;
  readonly servers: number;
}

export async function evidenceBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", default: Object.keys(PARTS).join(",") },
      rounds: { type: "string", default: "9" },
      seconds: { type: "string", default: "4" },
      span: { type: "string", default: "30" },
      rows: { type: "string", default: "10000000" },
      servers: { type: "string", default: "1000" },
    },
  });
  const { only, rounds, seconds, span, rows, servers } = values;
  const sizes = {
    rounds: wholeNumber("rounds", rounds),
    seconds: positive("seconds", seconds),
    span: positive("span", span),
    rows: wholeNumber("rows", rows),
    servers: wholeNumber("servers", servers),
  };
  const chosen = namesOf(PARTS, ["only", only]);
  for (const [name, part] of Object.entries(PARTS)) {
    if (chosen.includes(name)) await part(sizes);
  }
}
