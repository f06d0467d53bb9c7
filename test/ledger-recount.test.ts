/**
 * The report against its recount, over months in which anything happens: two programs that share no rule must say
 * the same. What differs is a mistake in one of them, or a rule that docs/ledger.md does not tell.
 */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { figuresOfRecount, figuresOfReport } from "../src/cli/report.ts";
import { type LedgerFile, openLedgerFile, reportFrom } from "../src/console/ledger-reading.ts";
import { recount } from "../src/console/report/recount.ts";
import type { JournalRecord } from "../src/core/journal/record.ts";
import type { Measurement } from "../src/core/journal/measurement.ts";
import { histogramBucket } from "../src/core/proxy/histogram.ts";
import { journalPath, openJournal } from "../src/drivers/journal-database.ts";
import { JournalStore } from "../src/drivers/journal-store.ts";
import { keepSettings } from "../src/drivers/ledger-store.ts";
import { MeasureStore } from "../src/drivers/measure-store.ts";
import { Prng } from "../src/lib/prng.ts";
import { SERVICE, SETTINGS, YEAR_START_MS } from "./kit/ledger-year.ts";

const EPISODES = 60;
const APART_MS = 2_400_000;
const MONTH = { year: 2026, month: 1 };
const latency = { belowMs: 300, share: 0.99 };
const service = { ...SERVICE, objectives: { ...SERVICE.objectives, latency } };
const settings = { ...SETTINGS, services: [service] };

interface Told {
  readonly atMs: number;
  readonly kind: string;
  readonly subject: string;
  readonly source?: string;
  readonly data?: Record<string, unknown>;
}

/** What happened around one moment, and what was measured then. */
class Episode {
  readonly told: Told[] = [];
  readonly measured: Measurement[] = [];
  readonly #prng: Prng;
  readonly #atMs: number;

  constructor(prng: Prng, atMs: number) {
    this.#prng = prng;
    this.#atMs = atMs;
    this.#measure();
    const stories = [
      () => this.#serverDies(),
      () => this.#masterFalls(),
      () => this.#peerLeaves(),
      () => this.#workIsLost(),
    ];
    prng.pick(stories)();
    if (prng.chance(0.3)) prng.pick(stories)();
    if (prng.chance(0.2)) this.#drill();
    if (prng.chance(0.2)) this.#say("server-change-asked", "web/b", this.#within(60));
    if (prng.chance(0.1)) this.#maintenance();
    if (prng.chance(0.2)) this.#instanceFails();
  }

  #within(seconds: number): number {
    return this.#atMs + Math.floor(this.#prng.between(0, seconds * 1000));
  }

  #say(kind: string, subject: string, atMs: number, data?: Record<string, unknown>): void {
    const source = kind === "work-lost" ? "probe" : "balance";
    this.told.push({ atMs, kind, subject, source, ...(data === undefined ? {} : { data }) });
  }

  /** Some spans before, some bad ones, some after. */
  #measure(): void {
    const prng = this.#prng;
    const first = this.#atMs - (this.#atMs % 10_000) - 30_000;
    const badFrom = 3 + Math.floor(prng.between(0, 3));
    const badTo = badFrom + Math.floor(prng.between(0, 5));
    for (let i = 0; i < 14; i++) {
      const fromMs = first + i * 10_000;
      const bad = i >= badFrom && i < badTo ? Math.floor(prng.between(0, 110)) : 0;
      const good = Math.max(0, 100 - bad);
      const slow = prng.chance(0.1) ? Math.floor(prng.between(0, good)) : 0;
      const looked =
        bad > 0 && prng.chance(0.5) ? { firstBadMs: fromMs + 2000, lastBadMs: fromMs + 7000 } : {};
      const times: [number, number][] = [
        [histogramBucket(prng.between(1, 200)), good - slow],
        [histogramBucket(900), slow],
      ];
      this.measured.push({
        subject: "frontend www",
        vantage: "balancer",
        fromMs,
        lengthMs: 10_000,
        good,
        bad,
        ...looked,
        latency: times.filter(([, count]) => count > 0),
      });
    }
  }

  #serverDies(): void {
    const prng = this.#prng;
    const out = this.#within(20);
    const [down, up] = prng.pick([
      ["server-down", "server-up"],
      ["server-ejected", "server-returned"],
      ["server-down", "server-maint"],
      ["server-down", "started"],
      ["server-ejected", "started"],
    ] as const);
    const back = out + 1000 + Math.floor(prng.between(0, 200_000));
    this.#say(down, "web/a", out);
    if (up === "started") this.#say(up, "", back, { fresh: true });
    else this.#say(up, "web/a", back);
  }

  /** What it was before the process ended nobody tells. */
  #instanceFails(): void {
    const prng = this.#prng;
    const out = this.#within(20);
    if (prng.chance(0.5)) this.#say("state-changed", "VI_1", out, { from: "BACKUP", to: "FAULT" });
    else this.#say("split-brain-found", "VI_1", out);
    const back = out + 500 + Math.floor(prng.between(0, 100_000));
    this.#say("state-changed", "VI_1", back, { from: "INIT", to: "BACKUP" });
  }

  #masterFalls(): void {
    const silentMs = 3000;
    const atMs = this.#within(20) + silentMs;
    const isSilent = this.#prng.chance(0.5);
    const data = {
      from: "BACKUP",
      to: "MASTER",
      ...(isSilent ? { cause: "silent", silentMs } : {}),
    };
    this.#say("state-changed", "VI_1", atMs, data);
    if (this.#prng.chance(0.3)) this.#say("lease-lapsed", "VI_1", this.#within(30));
  }

  #peerLeaves(): void {
    const peer = "10.0.0.2";
    const out = this.#within(30);
    this.#say("peer-lost", "VI_1", out, { peer });
    this.#say("peer-appeared", "VI_1", out + 500 + Math.floor(this.#prng.between(0, 90_000)), {
      peer,
    });
  }

  #workIsLost(): void {
    this.#say("work-lost", "web", this.#within(40), {
      rpoMs: Math.floor(this.#prng.between(0, 9000)),
    });
  }

  #drill(): void {
    const run = String(this.#atMs);
    this.#say("drill-started", "web", this.#atMs - 5000, { run, drill: "x" });
    this.#say("drill-finished", "web", this.#atMs + 60_000, { run, verdict: "passed" });
  }

  #maintenance(): void {
    const id = `m${this.#atMs}`;
    this.#say("maintenance-started", "web", this.#within(30), { id });
    this.#say("maintenance-ended", "web", this.#atMs + 45_000, { id });
  }
}

function fileOf(seed: number, folder: string): LedgerFile {
  const prng = new Prng(seed);
  const episodes = Array.from({ length: EPISODES }, (_, i) => {
    const atMs = YEAR_START_MS + i * APART_MS + Math.floor(prng.between(0, 60_000));
    return new Episode(prng, atMs + 3_600_000);
  });
  const start = { atMs: YEAR_START_MS, kind: "note", subject: "", source: "control" };
  const told = [start, ...episodes.flatMap((one) => one.told)].sort((a, b) => a.atMs - b.atMs);
  const records = told.map(
    ({ atMs, source = "control", ...rest }, i) =>
      ({
        node: "lb1",
        level: "info",
        reason: `${rest.kind} ${i}`,
        boot: "b",
        monoMs: i,
        seq: i + 1,
        wallMs: atMs,
        source,
        ...rest,
      }) as JournalRecord,
  );
  const { database } = openJournal(journalPath(folder), 0);
  new JournalStore(database).append(records, undefined);
  new MeasureStore(database).add(episodes.flatMap((one) => one.measured));
  keepSettings(database, settings, "lb1");
  database.close();
  const file = openLedgerFile(folder);
  if (typeof file === "string") throw new Error(file);
  return file;
}

for (const seed of [1, 2, 3, 17, 18, 33]) {
  test(`whatever happens in a month, it is counted alike twice (seed ${seed})`, () => {
    const folder = mkdtempSync(join(tmpdir(), "nines-recount-"));
    const file = fileOf(seed, folder);
    try {
      const nowMs = YEAR_START_MS + 20 * 86_400_000;
      const data = reportFrom(file, MONTH, { nowMs });
      const [said] = data.services;
      const { coverage = 1, rpo, faults } = said!.statistics;
      assert.ok(faults > 10 && coverage < 1 && rpo !== undefined, "the month has all of it");
      const again = recount(file.database, settings, { ...data, nowMs });
      assert.deepEqual(figuresOfRecount(again), figuresOfReport(data));
    } finally {
      file.database.close();
      rmSync(folder, { recursive: true });
    }
  });
}
