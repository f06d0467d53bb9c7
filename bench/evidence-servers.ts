/** What the minutes of many servers cost the console: each minute, for a chart, and on the disk. */

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tally, type CountingProcess } from "../src/core/journal/tally.ts";
import { openJournal } from "../src/drivers/journal-database.ts";
import { ServerMeasureStore } from "../src/drivers/server-measure-store.ts";
import { Prng } from "../src/lib/prng.ts";
import { median } from "./median.ts";

const MINUTE = 60_000;
const NOW = Math.floor(1_800_000_000_000 / MINUTE) * MINUTE;
/** Buckets in which the answers of a server lie. */
const BUCKETS = 20;

export function serversBench(servers: number, minutes: number): void {
  const folder = mkdtempSync(join(tmpdir(), "nines-bench-"));
  console.log(`\nservers: ${servers} of them for ${minutes} minutes`);
  try {
    const file = join(folder, "journal.db");
    const { database } = openJournal(file, 0);
    const store = new ServerMeasureStore(database);
    const counts = new Counts(servers);
    const [tally, costs, texts]: [Tally, number[], number[]] = [new Tally(), [], []];
    tally.look([counts.next()], 0);
    for (let i = 0; i < minutes; i++) {
      const text = JSON.stringify(counts.next());
      texts.push(text.length);
      const began = performance.now();
      tally.look([JSON.parse(text) as CountingProcess], (i + 1) * MINUTE);
      store.add(tally.take(() => "balancer", NOW + i * MINUTE, MINUTE));
      costs.push(performance.now() - began);
    }
    const day = { fromMs: NOW, toMs: NOW + minutes * MINUTE, limit: 100_000 };
    const reads = Array.from({ length: 20 }, (_, i) => {
      const began = performance.now();
      store.find({ subject: `server web/s${i}`, ...day });
      return performance.now() - began;
    });
    const began = performance.now();
    let calls = 0;
    for (; store.rollUp(NOW + 100 * 60 * MINUTE); calls++);
    const rolled = (performance.now() - began) / Math.max(1, calls);
    const mib = statSync(file).size / 2 ** 20;
    console.log(`  an answer of a worker: ${(median(texts) / 1024).toFixed(0)} KiB`);
    console.log(`  a minute taken in: ${median(costs).toFixed(1)} ms, worst ${worst(costs)} ms`);
    console.log(`  all minutes of a server read: ${median(reads).toFixed(1)} ms`);
    console.log(`  a piece of old minutes becomes hours: ${rolled.toFixed(1)} ms`);
    console.log(`  on the disk: ${((mib * 2 ** 20) / servers / minutes).toFixed(0)} B a minute`);
    database.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function worst(values: readonly number[]): string {
  return Math.max(...values).toFixed(1);
}

/** One worker's counters of many servers, which grow. */
class Counts {
  readonly #prng = new Prng(1);
  readonly #servers: { subject: string; good: number; bad: number; latency: [number, number][] }[];

  constructor(servers: number) {
    this.#servers = Array.from({ length: servers }, (_, i) => ({
      subject: `server web/s${i}`,
      good: 0,
      bad: 0,
      latency: Array.from({ length: BUCKETS }, (_place, j): [number, number] => [30 + j, 0]),
    }));
  }

  next(): CountingProcess {
    for (const server of this.#servers) {
      for (const bucket of server.latency) {
        const more = Math.floor(this.#prng.fraction() * 20);
        bucket[1] += more;
        server.good += more;
      }
    }
    return {
      life: "a",
      isEnded: false,
      counted: this.#servers.map((one) => ({ ...one, inFlight: 0 })),
    };
  }
}
