/** One worker thread of `npm run sim`: plays what it is told, answers with a tally. */

import { parentPort } from "node:worker_threads";
import { Router } from "../../src/core/vrrp/router.ts";
import { kill, runSeeds, type Tally } from "../../src/sim/campaign.ts";
import { plantedBugs } from "../../src/sim/planted-bugs.ts";
import type { MakeRouter } from "../../src/sim/process.ts";
import type { OracleName } from "../../src/sim/violation.ts";

export type Task =
  | { readonly kind: "seeds"; readonly from: number; readonly count: number }
  | { readonly kind: "kill"; readonly bug: string; readonly count: number };

export type Answer =
  | { readonly kind: "tally"; readonly tally: Tally }
  | {
      readonly kind: "kill";
      readonly bug: string;
      readonly oracles: readonly OracleName[];
      readonly seeds: number;
    };

const makeRouter: MakeRouter = (settings) => new Router(settings);

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
parentPort!.on("message", (task: Task) => parentPort!.postMessage(answer(task)));

function answer(task: Task): Answer {
  if (task.kind === "seeds") return { kind: "tally", tally: runSeeds(task, makeRouter) };
  const bug = plantedBugs.find((b) => b.name === task.bug)!;
  const { oracles, seeds } = kill(bug, makeRouter, { from: 1, count: task.count }, true);
  return { kind: "kill", bug: bug.name, oracles, seeds };
}
