/**
 * Ten thousand events a second for half a minute: from a real event log over a real control socket to
 * a real console process and its file. Counted by numbers: none may be missing, none twice.
 */

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadConfiguration } from "../src/daemon/load-configuration.ts";
import { serveControl } from "../src/daemon/control-server.ts";
import { EventLog } from "../src/daemon/event-log.ts";
import { DISK } from "../src/config/disk.ts";
import { monotonicMs, wallMs } from "../src/drivers/clock.ts";
import { journalPath, openJournalToRead } from "../src/drivers/journal-database.ts";
import { cpuMs } from "./process-cost.ts";

const TICK_MS = 10;
const ENTRY = new URL("../bin/nines.ts", import.meta.url).pathname;
const TEXT =
  'frontends: { web: { listen: "127.0.0.1:1", pool: web } }\npools: { web: { servers: { a: "127.0.0.1:2" } } }';
const NOT_HERE = { error: "not in this bench" };

export async function streamBench(perSecond: number, seconds: number): Promise<void> {
  console.log(`\nstream: ${perSecond} events a second for ${seconds} s`);
  const folder = mkdtempSync(join(tmpdir(), "nines-bench-"));
  const [run, state] = [join(folder, "run"), join(folder, "state")];
  for (const directory of [run, state]) mkdirSync(directory);
  const events = new EventLog(() => {}, wallMs);
  const server = await serveControl(join(run, "control.sock"), backendOf(events));
  const words = ["role", "console", "--run-dir", run, "--state-dir", state];
  const flags = [
    "--disable-warning=ExperimentalWarning",
    "--max-semi-space-size=8",
    "--max-old-space-size=256",
  ];
  const child = spawn(process.execPath, [...flags, ENTRY, ...words], { stdio: "inherit" });
  try {
    say(events, 0);
    const reader = await readerOf(state);
    const total = perSecond * seconds;
    const cpuBefore = cpuMs([child.pid!]);
    const startMs = monotonicMs();
    let said = 0;
    let behind = 0;
    while (said < total) {
      const due = Math.min(total, Math.floor(((monotonicMs() - startMs) * perSecond) / 1000));
      while (said < due) say(events, ++said);
      if (said % perSecond < perSecond / 50) behind = Math.max(behind, said - reader.last());
      await sleep(TICK_MS);
    }
    const saidMs = monotonicMs() - startMs;
    while (reader.last() < total && monotonicMs() - startMs < saidMs + 60_000) await sleep(5);
    const lagMs = monotonicMs() - startMs - saidMs;
    const { all, different } = reader.count();
    const cpu = ((cpuMs([child.pid!]) - cpuBefore) / saidMs) * 100;
    const rate = Math.round(total / (saidMs / 1000));
    console.log(`  told ${total} in ${(saidMs / 1000).toFixed(1)} s (${rate} a second)`);
    console.log(`  in the journal: ${all}, ${different} different: ${total - different} lost`);
    console.log(
      `  the last one was written ${lagMs.toFixed(0)} ms after it was told; at most ${behind} behind`,
    );
    console.log(`  the console used ${cpu.toFixed(0)} % of one CPU`);
    if (different !== total || all !== total) process.exitCode = 1;
  } finally {
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

/** Like what a node says when servers flap. */
function say(events: EventLog, n: number): void {
  const kind = n % 2 === 0 ? "server-up" : "server-down";
  const reason = `check failed: ECONNREFUSED, 3 of 3 (event ${n})`;
  const instance = `web/server-${n % 500}`;
  events.add({ source: "balance", level: "info", kind, instance, reason, priority: n });
}

interface Reader {
  /** The number of the newest of our events: cheap. */
  last(): number;
  /** All of them, counted. */
  count(): { readonly all: number; readonly different: number };
}

/** Waits until the console writes. */
async function readerOf(state: string): Promise<Reader> {
  for (let i = 0; ; i++) {
    try {
      const database = openJournalToRead(journalPath(state));
      const number = "CAST(data ->> '$.priority' AS INTEGER)";
      const newest = database.prepare(
        `SELECT ${number} AS n FROM record WHERE data IS NOT NULL ORDER BY seq DESC LIMIT 1`,
      );
      const counts = database.prepare(
        `SELECT count(*) AS "all", count(DISTINCT ${number}) AS different FROM record
         WHERE ${number} > 0`,
      );
      if (newest.get() !== undefined) {
        return {
          last: () => Number(newest.get()?.["n"] ?? 0),
          count: () => {
            const { all, different } = counts.get() ?? {};
            return { all: Number(all), different: Number(different) };
          },
        };
      }
      database.close();
    } catch (error) {
      if (i > 100) throw error;
    }
    await sleep(100);
  }
}

function backendOf(events: EventLog): Parameters<typeof serveControl>[1] {
  const files = { ...DISK, readFile: () => TEXT };
  const { service } = loadConfiguration("bench.yaml", { permissive: false, files });
  if (service === undefined) throw new Error("the bench's own configuration is wrong");
  const { origins: _origins, ...facts } = service;
  return {
    events,
    service: () => facts,
    traffic: async () => ({ processes: [] }),
    status: async () => ({
      version: "bench",
      pid: process.pid,
      startedWallMs: wallMs(),
      wallMs: wallMs(),
      configuration: { file: "bench.yaml", loadedWallMs: wallMs(), warnings: 0 },
      roles: [],
      routerAgeMs: 0,
    }),
    why: async () => NOT_HERE,
    handOver: async () => NOT_HERE,
    reload: async () => ({ reloaded: false, diagnostics: [] }),
    upgrade: async () => NOT_HERE,
    renewRoles: async () => [],
    balance: {
      status: async () => undefined,
      absence: "this node does not balance",
      order: async () => NOT_HERE,
      explain: async () => NOT_HERE,
      plan: () => NOT_HERE,
      apply: async () => NOT_HERE,
      confirm: async () => NOT_HERE,
      replaceWorkers: async () => NOT_HERE,
    },
  };
}
