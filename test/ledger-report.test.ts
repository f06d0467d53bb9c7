/** The report from a real journal file: what it says, what a second count says, in all its forms. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { main } from "../src/cli/main.ts";
import { answerMistakes } from "./kit/answer-mistakes.ts";
import type { ReportData } from "../src/core/ledger/report.ts";
import { minutesOf } from "../src/core/journal/measurement.ts";
import type { JournalRecord, RecordSource } from "../src/core/journal/record.ts";
import type { LedgerSettings } from "../src/core/ledger/settings.ts";
import { journalPath, openJournal } from "../src/drivers/journal-database.ts";
import { histogramBucket } from "../src/core/proxy/histogram.ts";
import { JournalStore } from "../src/drivers/journal-store.ts";
import { keepSettings } from "../src/drivers/ledger-store.ts";
import { MeasureStore } from "../src/drivers/measure-store.ts";
import {
  DAY_S,
  generateYear,
  measuresOf,
  SecondCount,
  SERVICE,
  SETTINGS,
  YEAR_START_MS,
} from "./kit/ledger-year.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-ledger-"));
after(() => rmSync(folder, { recursive: true }));

const DAYS = 45;
const year = generateYear(7, DAYS);
const settings: LedgerSettings = { ...SETTINGS, services: [SERVICE] };

function write(): void {
  const { database } = openJournal(journalPath(folder), 0);
  const records = year.records.map((record, i): JournalRecord => ({
    ...record,
    source: record.source as RecordSource,
    seq: i + 1,
    boot: "b",
    monoMs: i,
    level: "info",
  }));
  const note = {
    ...records.at(-1)!,
    seq: records.length + 1,
    kind: "incident-annotated",
    source: "operator" as const,
    subject: "web",
    reason: "the disk was <full> | twice",
  };
  const [fault] = year.faults;
  const began = new Date(YEAR_START_MS + fault!.fromS * 1000).toISOString();
  const id = `web-${began.replaceAll(/[-:]|\.\d+/gu, "")}`;
  new JournalStore(database).append([...records, { ...note, data: { id, who: "ann" } }], undefined);
  const spans = [...measuresOf(year)].map(({ vantage, fromMs, lengthMs, good, bad }) => {
    const latency = [[40, good]] as const;
    return { subject: "frontend www", vantage, fromMs, lengthMs, good, bad, latency };
  });
  // As they are kept after a week: what hurt nobody is whole minutes.
  const harm = spans.filter(({ good, bad }) => bad >= 0.05 * (good + bad));
  const rest = spans.filter(({ good, bad }) => bad < 0.05 * (good + bad));
  new MeasureStore(database).add([...minutesOf(rest), ...harm]);
  keepSettings(database, settings, "lb1");
  database.close();
}
write();

async function nines(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const terminal = {
    out: (text: string) => void (said.out += `${text}\n`),
    err: (text: string) => void (said.err += `${text}\n`),
    color: false,
  };
  const code = await main([...words, "--state-dir", folder], terminal);
  return { code, ...said };
}

test("the report of a month says what counting seconds says", async () => {
  const { code, out } = await nines("report", "--month", "2026-01", "--format", "json");
  assert.equal(code, 0);
  const data = JSON.parse(out) as ReportData;
  assert.deepEqual(answerMistakes("ReportData", data), []);
  const [service] = data.services;
  const count = new SecondCount(year);
  const totals = count.totals(0, 31 * DAY_S);
  const [balancer] = service!.availability;
  assert.equal(balancer!.good, totals.good);
  assert.equal(balancer!.bad, totals.bad);
  assert.equal(balancer!.badMs, totals.badS * 1000);
  assert.equal(service!.budget.usedMinutes, totals.badS / 60);
  const allowed = (0.001 * (31 * DAY_S - totals.plannedS)) / 60;
  assert.ok(Math.abs(service!.budget.allowedMinutes - allowed) < 1e-9);
  const counted = count.incidents().filter(({ startS }) => startS < 31 * DAY_S);
  const hurt = service!.incidents.filter(({ harmMs }) => harmMs > 0);
  assert.ok(counted.length >= 3, `${counted.length}`);
  assert.deepEqual(
    hurt.map(({ startMs }) => (startMs - YEAR_START_MS) / 1000),
    counted.map(({ startS }) => startS),
  );
  const score = counted.reduce((sum, one) => sum + one.score, 0);
  assert.ok(Math.abs(service!.score - score) < 1e-6);
  const [platform, network] = service!.owners;
  assert.ok(Math.abs(platform!.score - 0.6 * score) < 1e-6);
  assert.ok(Math.abs(network!.score - 0.4 * score) < 1e-6);
  assert.equal(service!.trend.length, 1);
});

test("the printed command counts the same figures anew", async () => {
  const report = await nines("report", "--month", "2026-02");
  const command = /^nines (report .*--recompute)$/mu.exec(report.out)?.[1];
  assert.equal(command, `report --month 2026-02 --state-dir ${folder} --recompute`);
  const again = await nines(...command.split(" "));
  assert.equal(again.err, "");
  assert.equal(again.code, 0);
  assert.match(again.out, /web balancer: \d+ good and \d+ bad requests/);
  assert.match(again.out, /web incident 2026-02-.*score/);
  const digits = String.raw`\d+(\.\d+)? s`;
  const means = `web failures: [1-9]\\d*, ${digits} without service, MTTF ${digits}, MTTR ${digits}, MTTD ${digits}`;
  assert.match(again.out, new RegExp(means, "u"));
  assert.match(again.out, /web RTO: mean .* max \d+/u);
  assert.match(again.out, /web budget: \d+\.\d\d of 40\.\d\d minutes, \d+ of \d/u);
  assert.match(again.out, /the report says the same/);
});

test("of the time before the journal nothing is known, and nothing is said to be well", async () => {
  const { out } = await nines("report", "--month", "2025-12");
  assert.match(out, /The journal begins at 2026-01-.*: nothing is known of this period/u);
  assert.doesNotMatch(out, /100\.000 %|## Service/u);
  const again = await nines("report", "--month", "2025-12", "--recompute");
  assert.equal(again.code, 0, again.err);
  const first = await nines("report", "--month", "2026-01", "--format", "json");
  const { services, knownFromMs, fromMs, toMs } = JSON.parse(first.out) as ReportData;
  assert.ok(knownFromMs > fromMs);
  const { mttfMs, failures, downMs } = services[0]!.statistics;
  assert.equal(mttfMs, (toMs - knownFromMs - downMs) / failures);
});

test("a month is that of the time zone", async () => {
  const { database } = openJournal(journalPath(folder), 0);
  keepSettings(database, { ...settings, timezone: "Asia/Shanghai" }, "lb1");
  const { out } = await nines("report", "--month", "2026-02", "--format", "json");
  const { fromMs, toMs } = JSON.parse(out) as ReportData;
  assert.equal(new Date(fromMs).toISOString(), "2026-01-31T16:00:00.000Z");
  assert.equal(new Date(toMs).toISOString(), "2026-02-28T16:00:00.000Z");
  const again = await nines("report", "--month", "2026-02", "--recompute");
  assert.equal(again.code, 0, again.err);
  keepSettings(database, settings, "lb1");
  database.close();
});

test("Markdown and one HTML file, in English and Chinese, with what people wrote as text", async () => {
  const english = await nines("report", "--month", "2026-01");
  assert.match(english.out, /^# Availability report 2026-01$/mu);
  assert.match(english.out, /\| balancer \| 99\.\d{3} % \| 99\.\d{3} % \|/u);
  assert.match(english.out, /ann: the disk was <full> \| twice/u);
  const chinese = await nines("report", "--month", "2026-01", "--lang", "zh");
  assert.match(chinese.out, /^# 可用性月报 2026-01$/mu);
  assert.match(chinese.out, /事故级 100/u);
  assert.match(english.out, /of the time but/u);
  assert.match(chinese.out, /差异说明:\n\n- balancer：按时间/u);
  assert.doesNotMatch(chinese.out, /of the time|requests/u);
  const path = join(folder, "report.html");
  const { code } = await nines("report", "--format", "html", "--month", "2026-01", "-o", path);
  assert.equal(code, 0);
  const html = readFileSync(path, "utf8");
  assert.match(html, /^<!doctype html>/u);
  assert.match(html, /the disk was &lt;full&gt; \| twice/u);
  assert.doesNotMatch(html, /<script|https?:\/\/|src=|@import/u);
  assert.match(html, /@media print/u);
  const rows = [...html.matchAll(/<t[hd]>/gu)].length;
  assert.ok(rows > 50, `${rows} cells`);
});

test("incidents are listed and shown from the file", async () => {
  const { out } = await nines("incidents");
  const [id] = /web-\d{8}T\d{6}Z/u.exec(out) ?? [];
  assert.ok(id !== undefined, out);
  const shown = await nines("incidents", "show", id);
  assert.match(shown.out, new RegExp(`^${id}: web, class `, "u"));
  assert.match(shown.out, /detected .* \(\+/u);
  const none = await nines("incidents", "show", "web-20200101T000000Z");
  assert.equal(none.code, 1);
  assert.match(none.err, /there is no incident/u);
});

/** What `nines report --recompute` says of January; the folder is gone afterwards. */
async function recounted(stateDir: string): Promise<string> {
  const said: string[] = [];
  const tell = (text: string): void => void said.push(text);
  const words = ["report", "--month", "2026-01", "--recompute", "--state-dir", stateDir];
  const code = await main(words, { out: tell, err: tell, color: false });
  rmSync(stateDir, { recursive: true });
  assert.equal(code, 0, said.join("\n"));
  return said.join("\n");
}

test("slow answers are counted a second time from the balancer's own times", async () => {
  const other = mkdtempSync(join(tmpdir(), "nines-slow-"));
  const { database } = openJournal(journalPath(other), 0);
  const objectives = { ...SERVICE.objectives, latency: { belowMs: 300, share: 0.99 } };
  keepSettings(database, { ...settings, services: [{ ...SERVICE, objectives }] }, "lb1");
  const base = { subject: "frontend www", vantage: "balancer", lengthMs: 10_000, bad: 0 };
  const [quick, late] = [histogramBucket(20), histogramBucket(900)];
  const record = { ...year.records[0]!, source: "vrrp" as const, level: "info" as const };
  const first = { ...record, seq: 1, boot: "b", monoMs: 1, wallMs: YEAR_START_MS, kind: "note" };
  new JournalStore(database).append([first], undefined);
  const spans = [
    { good: 100, latency: [[quick, 100]] },
    {
      good: 100,
      latency: [
        [quick, 30],
        [late, 70],
      ],
    },
    {
      good: 100,
      latency: [
        [quick, 60],
        [late, 40],
      ],
    },
  ] as const;
  new MeasureStore(database).add(
    spans.map((one, i) => ({ ...base, ...one, fromMs: YEAR_START_MS + i * 10_000 })),
  );
  database.close();
  assert.match(await recounted(other), /web incident 2026-01-01T00:00:10\.000Z: .* 10 s of harm/u);
});

test("what was measured in the bucket in which the journal begins is not before its beginning", async () => {
  const other = mkdtempSync(join(tmpdir(), "nines-begin-"));
  const { database } = openJournal(journalPath(other), 0);
  keepSettings(database, settings, "lb1");
  const record = { ...year.records[0]!, source: "vrrp" as const, level: "info" as const };
  const first = { ...record, seq: 1, boot: "b", monoMs: 1, wallMs: YEAR_START_MS + 2_970 };
  new JournalStore(database).append([{ ...first, kind: "note" }], undefined);
  const base = { subject: "frontend www", vantage: "balancer", lengthMs: 10_000 };
  new MeasureStore(database).add([
    { ...base, fromMs: YEAR_START_MS, good: 0, bad: 100 },
    { ...base, fromMs: YEAR_START_MS + 10_000, good: 100, bad: 0 },
  ]);
  database.close();
  assert.match(await recounted(other), /web failures: 1, 10 s without service/u);
});

test("where nothing was ever written it is told where to look", async () => {
  const empty = mkdtempSync(join(tmpdir(), "nines-empty-"));
  const said: string[] = [];
  const terminal = { out: () => {}, err: (text: string) => void said.push(text), color: false };
  const code = await main(["report", "--state-dir", empty], terminal);
  rmSync(empty, { recursive: true });
  assert.equal(code, 1);
  assert.match(said.join("\n"), /journal\.db cannot be read: .*--state-dir DIR/u);
});
