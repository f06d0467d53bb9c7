import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SERVICE, SETTINGS } from "../../test/kit/ledger-year.ts";
import { journalPath, openJournal } from "../drivers/journal-database.ts";
import { JournalStore } from "../drivers/journal-store.ts";
import { keepSettings } from "../drivers/ledger-store.ts";
import { MeasureStore } from "../drivers/measure-store.ts";

const MINUTE_MS = 60_000;
const MINUTES = 30 * 1440;
const FROM_MS = Date.UTC(2026, 8, 1);

/** What a console with that little memory makes of a month: requests by the ledger's alerts, and a report. */
const PLAY = `
  const [folder, sources] = process.argv.slice(1);
  const { openLedgerFile, refillLedger, reportFrom } = await import(sources + "console/ledger-reading.ts");
  const file = openLedgerFile(folder);
  const nowMs = ${FROM_MS + MINUTES * MINUTE_MS};
  let signs = 0;
  const ledger = refillLedger(file.database, file.settings, nowMs, () => signs++);
  ledger.step(nowMs);
  const { services } = reportFrom(file, { year: 2026, month: 9 }, { nowMs });
  const [{ availability, latency, inTime }] = services;
  console.log(JSON.stringify([ledger.burns.length, availability[0].good, latency[0].p50, inTime, signs]));
`;

test("a month of measurements with times of answers is read with the memory that a console has", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "nines-ledger-reading-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const { database } = openJournal(journalPath(folder), 0);
  // Each makes its tables.
  const made = [new JournalStore(database), new MeasureStore(database)];
  assert.equal(made.length, 2);
  const objectives = { ...SERVICE.objectives, latency: { belowMs: 300, share: 0.99 } };
  keepSettings(database, { ...SETTINGS, services: [{ ...SERVICE, objectives }] }, "a");
  const latency = JSON.stringify(Array.from({ length: 40 }, (_, i) => [i, 1]));
  database
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${MINUTES - 1})
       INSERT INTO measurement (subject, vantage, start, length, good, bad, latency)
       SELECT ?, 'balancer', ? + i * ${MINUTE_MS}, ${MINUTE_MS}, 40, 0, ? FROM n`,
    )
    .run(`frontend ${SERVICE.frontends[0]}`, FROM_MS, latency);
  database.close();
  const sources = new URL("../", import.meta.url).href;
  const flags = ["--disable-warning=ExperimentalWarning", "--max-old-space-size=64"];
  const words = [...flags, "--input-type=module", "--eval", PLAY, folder, sources];
  const { stdout, status } = spawnSync(process.execPath, words, { encoding: "utf8" });
  assert.equal(status, 0, "it ran out of memory");
  const [burns, good, p50, inTime, signs] = JSON.parse(stdout) as number[];
  assert.deepEqual([burns! > 0, good, inTime], [true, 40 * MINUTES, 1]);
  assert.ok(p50! > 0);
  assert.ok(signs! >= 10, "it shows that it lives while it reads");
});
