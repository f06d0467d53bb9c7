/** What the minutes of many servers cost the console: each minute, for a chart, and on the disk. */

import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tally, type Counted, type CountingProcess } from "../src/core/journal/tally.ts";
import type { Engine } from "../src/core/proxy/engine.ts";
import { COUNTERS, Traffic } from "../src/core/proxy/traffic.ts";
import { countedBy } from "../src/daemon/balance-traffic.ts";
import { openJournal } from "../src/drivers/journal-database.ts";
import { ServerMeasureStore } from "../src/drivers/server-measure-store.ts";
import { Prng } from "../src/lib/prng.ts";
import { median } from "./median.ts";

const MINUTE = 60_000;
const NOW = Math.floor(1_800_000_000_000 / MINUTE) * MINUTE;
/** Buckets in which the answers of a server lie. */
const BUCKETS = 20;
const FIRST_BUCKET = 30;

export function serversBench(servers: number, minutes: number): void {
  const folder = mkdtempSync(join(tmpdir(), "nines-bench-"));
  console.log(`\nservers: ${servers} of them for ${minutes} minutes`);
  try {
    const file = join(folder, "journal.db");
    const { database } = openJournal(file, 0);
    const store = new ServerMeasureStore(database);
    const counts = new Counts(servers);
    const [tally, costs, texts]: [Tally, number[], number[]] = [new Tally(), [], []];
    tally.look([processOf(counts.answers())], 0);
    for (let i = 0; i < minutes; i++) {
      counts.grow();
      const pages = counts.answers();
      texts.push(pages.join("").length);
      const began = performance.now();
      tally.look([processOf(pages)], (i + 1) * MINUTE);
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
    const size = `${(median(texts) / 1024).toFixed(0)} KiB`;
    console.log(
      `  a worker's answer, once a minute: ${size}, in pauses of ${median(counts.pauses).toFixed(1)} ms, worst ${worst(counts.pauses)} ms`,
    );
    console.log(`  a minute taken in: ${median(costs).toFixed(1)} ms, worst ${worst(costs)} ms`);
    console.log(`  all minutes of a server read: ${median(reads).toFixed(1)} ms`);
    console.log(`  a piece of old minutes becomes hours: ${rolled.toFixed(1)} ms`);
    console.log(`  on the disk: ${((mib * 2 ** 20) / servers / minutes).toFixed(0)} B a minute`);
    database.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function processOf(pages: readonly string[]): CountingProcess {
  const counted = pages.flatMap((page) => JSON.parse(page) as Counted[]);
  return { life: "a", isEnded: false, counted };
}

function worst(values: readonly number[]): string {
  return Math.max(...values).toFixed(1);
}

/** One worker's counters of many servers, which grow. */
class Counts {
  readonly #prng = new Prng(1);
  /** How long nobody else is served. */
  readonly pauses: number[] = [];
  readonly #groups: { readonly server: { readonly name: string }; readonly traffic: Traffic }[];

  constructor(servers: number) {
    this.#groups = Array.from({ length: servers }, (_, i) => ({
      server: { name: `s${i}` },
      traffic: new Traffic(),
    }));
  }

  grow(): void {
    for (const { traffic } of this.#groups) {
      for (let i = 0; i < BUCKETS; i++) {
        const more = Math.floor(this.#prng.fraction() * 20);
        traffic.totalTime.counts[FIRST_BUCKET + i]! += more;
        traffic.add(COUNTERS.success, more);
      }
    }
  }

  /** As a worker answers, a page at a time: its engine is a pool of these servers. */
  answers(): readonly string[] {
    const pool = { settings: { name: "web" }, groups: this.#groups };
    const engine = { dispatchers: [pool] } as unknown as Engine;
    const pages: string[] = [];
    for (let after = ""; ;) {
      const began = performance.now();
      const page = countedBy(engine, "servers", after);
      pages.push(JSON.stringify(page));
      this.pauses.push(performance.now() - began);
      const last = page.at(-1)?.subject;
      if (last === undefined) return pages;
      after = last;
    }
  }
}
