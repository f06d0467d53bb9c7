/** `nines estimate --from-journal`: figures of a real journal file take the place of written ones. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { main } from "../src/cli/main.ts";
import { measuredByDrills, measuredInJournal } from "../src/console/measured-parts.ts";
import { openLedgerFile } from "../src/console/ledger-reading.ts";
import type { DrillResult } from "../src/core/drill/result.ts";
import type { JournalRecord } from "../src/core/journal/record.ts";
import { journalPath, openJournal } from "../src/drivers/journal-database.ts";
import { JournalStore } from "../src/drivers/journal-store.ts";
import { appendLine } from "../src/drivers/drill-files.ts";
import { keepSettings } from "../src/drivers/ledger-store.ts";
import { SERVICE, SETTINGS } from "./kit/ledger-year.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-estimate-"));
after(() => rmSync(folder, { recursive: true }));

const HOUR = 3_600_000;
const NOW = Date.now();
const START = NOW - 1000 * HOUR;
const POOL = SERVICE.pools[0] ?? "web";

/** Hours after the start, kind, subject. */
const STORY: readonly (readonly [number, string, string, object?])[] = [
  [0, "role-started", ""],
  [100, "server-down", `${POOL}/one`],
  [102, "server-up", `${POOL}/one`],
  [300, "server-down", `${POOL}/one`],
  [301, "server-up", `${POOL}/one`],
  [400, "drill-started", "kill-server", { id: "d1", run: "d1" }],
  [400.01, "server-down", `${POOL}/two`],
  [400.1, "server-up", `${POOL}/two`],
  [400.2, "drill-finished", "kill-server", { id: "d1", run: "d1" }],
  [500, "server-ejected", `${POOL}/two`],
  [503, "server-returned", `${POOL}/two`],
];

{
  const { database } = openJournal(journalPath(folder), 0);
  const base = { node: "lb1", boot: "b", level: "info", source: "check", reason: "x" } as const;
  const records = STORY.map(([hours, kind, subject, data], i): JournalRecord => {
    const wallMs = START + hours * HOUR;
    const more = data === undefined ? {} : { data: { ...data } };
    return { ...base, seq: i + 1, wallMs, monoMs: i, kind, subject, ...more };
  });
  new JournalStore(database).append(records, undefined);
  keepSettings(database, { ...SETTINGS, services: [SERVICE] }, "lb1");
  database.close();
}

test("parts are measured by their records; what drills broke is no failure", () => {
  const file = openLedgerFile(folder);
  assert.ok(typeof file !== "string", JSON.stringify(file));
  const subjects = [`server ${POOL}/one`, `server ${POOL}/two`, "server gone/x", "unmeasured"];
  const { measured, unheard } = measuredInJournal(file, subjects, NOW);
  file.database.close();
  assert.deepEqual(
    measured.map(({ subject, failures, downMs, observedMs }) => {
      return [subject, failures, downMs / HOUR, Math.round(observedMs / HOUR)];
    }),
    [
      [`server ${POOL}/one`, 2, 3, 1000],
      [`server ${POOL}/two`, 1, 3, 1000],
      ["server gone/x", 0, 0, 1000],
    ],
  );
  assert.deepEqual(unheard, ["server gone/x"]);
});

test("the service tells how many of its faults were switched, drills among them", () => {
  const file = openLedgerFile(folder);
  assert.ok(typeof file !== "string", JSON.stringify(file));
  const { measured } = measuredInJournal(file, [`service ${SERVICE.name}`], NOW);
  file.database.close();
  assert.equal(measured[0]!.switches, 4);
  assert.equal(measured[0]!.covered, 4);
});

test("nines estimate prints what was measured beside what was written", async () => {
  const path = join(folder, "site.yaml");
  writeFileSync(
    path,
    `parts:
  web: { mttf: 100h, mttr: 1h, measured: [server ${POOL}/one, server ${POOL}/two] }
system:
  failover: web
  name: webs
  coverage: 90%
  measured: service ${SERVICE.name}
`,
  );
  const lines: string[] = [];
  const terminal = {
    out: (t: string) => void lines.push(t),
    err: (t: string) => void lines.push(t),
    color: false,
  };
  const code = await main(["estimate", path, "--from-journal", folder], terminal);
  assert.equal(code, 0, lines.join("\n"));
  const all = lines.join("\n").replaceAll(/ {2,}/gu, " | ");
  assert.match(all, /web \| MTTF \| 27d \d+h \| 4d 04h \| 3 \(few\)/u);
  assert.match(all, /web \| MTTR \| 2h 00m \| 1h 00m \| 3 \(few\)/u);
  assert.match(all, /webs \| coverage \| 100 % \| 90 % \| 4 \(few\)/u);
});

test("drills tell coverage and switch time of a group, also without a journal", () => {
  const place = join(folder, "lab");
  const base = { title: "", target: "", site: "lab", reason: "", deviations: [], promise: "" };
  const times = { startedWallMs: 0, endedWallMs: 1, promisedOutageMs: 1000, undoneBy: "guard" };
  for (const [i, layer, switched] of [
    [1, "address", true],
    [2, "address", true],
    [3, "address", false],
    [4, "pool", true],
  ] as const) {
    const measured = { requests: 9, failed: 1, outageMs: 500 * i, returnOutageMs: 0, slowestMs: 1 };
    const verdict = switched ? "passed" : "deviated";
    const told = {
      id: String(i),
      drill: "x",
      layer,
      verdict,
      switched,
      measured,
      steps: [],
    } as const;
    const result = { ...base, ...times, faulted: true, switchExpected: true, ...told } as const;
    const line = {
      wallMs: i,
      kind: "drill-finished",
      id: String(i),
      drill: "x",
      reason: "",
    } as const;
    assert.ok(appendLine(place, { ...line, result: result as unknown as DrillResult }));
  }
  const none = { observedMs: 0, failures: 0, downMs: 0 };
  assert.deepEqual(measuredByDrills(place, ["drills address", "drills", "drills node", "web"]), [
    { subject: "drills address", ...none, switches: 3, covered: 2, switchMs: 750 },
    { subject: "drills", ...none, switches: 4, covered: 3, switchMs: (500 + 1000 + 2000) / 3 },
  ]);
});

test("a directory without a journal is refused with a sentence", async () => {
  const lines: string[] = [];
  const terminal = { out: () => {}, err: (text: string) => void lines.push(text), color: false };
  const words = ["estimate", "samples/estimate/pair.yaml", "--from-journal", "/nonexistent"];
  assert.equal(await main(words, terminal), 2);
  assert.match(lines.join("\n"), /journal\.db cannot be read/u);
});
