/**
 * `npm run fuzz -- [packets] [--count N] [--seed N]`: N mutated packets (default 10 million) through the
 * real decoder and router. Nothing may throw, and no instance may change its state, effective
 * priority, deadline, learned interval, or anything else of its status. That is asserted for
 * backups and masters of every vector, signed or not; which mutants of unsigned adverts are left
 * out, and why, says `test/kit/packet-mutants.ts`.
 */

import { parseArgs } from "node:util";
import { targets } from "../test/kit/packet-mutants.ts";

/** Mutants between two looks at the whole status. */
const LOOK_EVERY = 1000;
const TELL_EVERY = 1_000_000;

export function packetFuzz(args: string[]): void {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: "string", default: "10000000" },
      seed: { type: "string", default: "1" },
    },
  });
  const count = Number(values.count);
  const seed = Number(values.seed);
  const all = targets(seed);
  const before = all.map((target) => target.listener.account);
  const kinds = new Map<string, number>();
  const start = performance.now();

  for (let i = 1; i <= count; i++) {
    const kind = all[i % all.length]!.attack();
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    if (i % LOOK_EVERY === 0 || i === count) look({ all, before, seed }, i);
    if (i % TELL_EVERY === 0) console.log(`${i} of ${count}`);
  }

  const seconds = (performance.now() - start) / 1000;
  const rejected: Record<string, number> = {};
  let identical = 0;
  let rightByChance = 0;
  for (const { listener, skipped } of all) {
    identical += skipped.identical;
    rightByChance += skipped.rightByChance;
    for (const [reason, n] of Object.entries(listener.router.status(0).rejected)) {
      if (n > 0) rejected[reason] = (rejected[reason] ?? 0) + n;
    }
  }
  console.log(`\n${count} mutants in ${seconds.toFixed(1)} s, seed ${seed}: nothing changed`);
  console.log(
    `not shown: ${identical} identical, ${rightByChance} with a right checksum by chance`,
  );
  console.table(Object.fromEntries(kinds));
  console.table(rejected);
}

interface Watched {
  readonly all: ReturnType<typeof targets>;
  /** The account of each before anything was sent. */
  readonly before: readonly string[];
  readonly seed: number;
}

function look({ all, before, seed }: Watched, i: number): void {
  for (const [index, target] of all.entries()) {
    if (target.listener.account === before[index]) continue;
    console.error(`changed within ${LOOK_EVERY} mutants before ${i}, seed ${seed}: ${target.name}`);
    console.error(`before ${before[index]}\nafter  ${target.listener.account}`);
    process.exit(1);
  }
}
