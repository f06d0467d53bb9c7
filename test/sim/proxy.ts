/**
 * `npm run sim -- proxy`: thousands of worlds of clients and servers around the real proxy engine.
 *
 * Exit 0: every oracle held; 1: one bit; 2: wrong usage.
 */

import { parseArgs } from "node:util";
import { drawScenario } from "../../src/sim/proxy/swarm.ts";
import { playProxy } from "../../src/sim/proxy/world.ts";

/** Failures that are told one by one. */
const MAX_TOLD = 10;

export const PROXY_USAGE = `usage: npm run sim -- proxy [options]
  --seeds N       how many seeds (default 5000)
  --from N        the first seed (default 1)`;

export function simulateProxy(words: readonly string[]): number {
  const { values } = parseArgs({
    args: [...words],
    options: {
      seeds: { type: "string", default: "5000" },
      from: { type: "string", default: "1" },
    },
  });
  const [seeds, from] = [Number(values.seeds), Number(values.from)];
  if (!Number.isInteger(seeds) || !Number.isInteger(from) || seeds < 1 || from < 0) {
    console.error(PROXY_USAGE);
    return 2;
  }
  const started = performance.now();
  const sums = { failed: 0, events: 0, requests: 0, answered: 0, virtualMs: 0 };
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      const { entries, events, virtualMs } = playProxy(drawScenario(seed));
      sums.events += events;
      sums.virtualMs += virtualMs;
      sums.requests += entries.length;
      sums.answered += entries.filter((entry) => entry.fromServer).length;
    } catch (error) {
      if (++sums.failed > MAX_TOLD) continue;
      console.log(
        `SEED=${seed} ${String(error)}\n    replay: npm run sim -- proxy --from ${seed} --seeds 1`,
      );
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const hours = (sums.virtualMs / 3_600_000).toFixed(1);
  console.log(
    `${seeds} seeds from ${from}: ${sums.failed} failed; ${sums.requests} requests, ` +
      `${sums.answered} answered by a server, ${sums.events} events, ` +
      `${hours} virtual hours in ${seconds} s`,
  );
  return sums.failed > 0 ? 1 : 0;
}
