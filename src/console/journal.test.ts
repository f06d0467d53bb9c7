/** The journal where things go wrong: processes that are killed, disks that are full, files that are broken. */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { JournalRecord, RecordDraft } from "../core/journal/record.ts";
import { DEFAULT_BOUNDS } from "../core/journal/retention.ts";
import { openJournal, openJournalToRead } from "../drivers/journal-database.ts";
import { JournalReader } from "../drivers/journal-store.ts";
import { Prng } from "../lib/prng.ts";
import { Journal } from "./journal.ts";
import { RecordFeed } from "./record-feed.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nines-journal-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const SOURCES = new URL("../", import.meta.url).href;
const PRELUDE = `
  import { Journal } from "${SOURCES}console/journal.ts";
  import { setrlimit } from "${SOURCES}drivers/ffi.ts";
  const path = process.argv[1];
  const bounds = () => (${JSON.stringify(DEFAULT_BOUNDS)});
  const journal = new Journal({ path, boot: "boot", node: () => "a", bounds });
  const draft = (n) => ({ source: "control", level: "info", kind: "note", subject: "s" + (n % 7),
    reason: "reason " + n + "x".repeat(200), data: { n } });
`;
const words = (code: string, path: string): string[] => [
  "--input-type=module",
  "--eval",
  PRELUDE + code,
  path,
];

function all(path: string): readonly JournalRecord[] {
  const { database } = openJournal(path, 0);
  const [check] = database.prepare("PRAGMA integrity_check").all();
  assert.deepEqual(Object.values(check ?? {}), ["ok"]);
  const records = new JournalReader(database).find({ limit: 1e6 });
  database.close();
  return records;
}

function open(path: string): Journal {
  const bounds = (): typeof DEFAULT_BOUNDS => DEFAULT_BOUNDS;
  return new Journal({ path, boot: "boot", node: () => "a", bounds });
}

const note = (reason: string): Omit<RecordDraft, "wallMs" | "monoMs"> => ({
  source: "console",
  level: "info",
  kind: "note",
  subject: "",
  reason,
});

test("a process that is killed again and again loses nothing that it had acknowledged", async () => {
  const path = join(directory, "journal.db");
  const code = `
    journal.listen((records) => process.stdout.write(records.at(-1).seq + "\\n"));
    let n = 0;
    setInterval(() => { for (let i = 0; i < 50; i++) journal.say(draft(++n)); journal.flush(); }, 1);
  `;
  const random = new Prng(7);
  for (let round = 0; round < 6; round++) {
    const before = round === 0 ? 0 : (all(path).at(-1)?.seq ?? 0);
    const child = spawn(process.execPath, words(code, path), {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let acknowledged = 0;
    let text = "";
    const limit = before + 500 + random.between(0, 2_000);
    await new Promise<void>((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        text = (text + chunk).slice(-100);
        // The last number may be cut.
        acknowledged = Number(text.split("\n").at(-2) ?? acknowledged) || acknowledged;
        if (acknowledged > limit) child.kill("SIGKILL");
      });
      child.once("close", () => resolve());
    });
    const records = all(path);
    assert.ok((records.at(-1)?.seq ?? 0) >= acknowledged, `${acknowledged} was acknowledged`);
    records.forEach(({ seq }, i) => assert.equal(seq, i + 1));
  }
});

test("a full disk kills nothing: records wait, and the journal says what was", () => {
  const path = join(directory, "journal.db");
  const code = `
    process.on("SIGXFSZ", () => {});
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    for (let n = 1; n <= 10; n++) journal.say(draft(n));
    journal.flush();
    setrlimit(1, 4096, 2 ** 40);
    let told = 0;
    journal.listen((records) => (told += records.length));
    for (let n = 11; n <= 500; n++) { journal.say(draft(n)); journal.flush(); }
    const trouble = journal.trouble;
    setrlimit(1, 1e9, 2 ** 40);
    await wait(1300);
    console.log(JSON.stringify({ told, trouble, after: journal.trouble ?? null }));
    journal.close();
  `;
  const { stdout, stderr, status } = spawnSync(process.execPath, words(code, path), {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  const said = JSON.parse(stdout) as { told: number; trouble: string; after: string | null };
  assert.ok(said.told >= 490, "whoever listens is told all the same");
  assert.match(said.trouble, /full|disk|I\/O/i);
  assert.equal(said.after, null);
  const records = all(path);
  assert.deepEqual(
    records.slice(0, 500).map(({ data }) => data?.["n"]),
    Array.from({ length: 500 }, (_, i) => i + 1),
  );
  assert.equal(records.at(-1)?.kind, "gap");
  assert.match(records.at(-1)?.reason ?? "", /none is missing$/);
});

test("what memory could not hold either is missing, counted, and told by its numbers", () => {
  const path = join(directory, "none", "journal.db");
  const journal = open(path);
  for (let n = 0; n < 21_000; n++) journal.say(note(`${n}`));
  journal.flush();
  assert.match(journal.trouble ?? "", /unable to open/);
  assert.equal(journal.after(0, 10).length > 0, true, "followers see what is in memory");
  spawnSync("mkdir", [join(directory, "none")]);
  journal.flush();
  journal.close();
  const records = all(path);
  assert.equal(records.at(-1)?.kind, "gap");
  assert.deepEqual(records.at(-1)?.data, { from: 1, to: 1_000, count: 1_000 });
  assert.equal(records[0]?.seq, 1_001);
});

test("a broken journal is set aside, its numbers go on, and the new one says so", () => {
  const path = join(directory, "journal.db");
  const first = open(path);
  for (let n = 0; n < 5_000; n++) first.say(note(`some text that fills a page ${n}`));
  first.close();
  truncateSync(path, 300_000);
  const second = open(path);
  second.say(note("after"));
  second.close();
  const records = all(path);
  assert.ok(records.some(({ kind }) => kind === "journal-set-aside"));
  assert.ok(readdirSync(directory).some((name) => name.includes(".corrupt-")));
  writeFileSync(path, "no database");
  const third = open(path);
  third.close();
  assert.match(all(path).at(-1)?.reason ?? "", /not a database/);
});

test("the place in control's events is as far as the records are", () => {
  const path = join(directory, "journal.db");
  const first = open(path);
  first.add({ ...note("one"), wallMs: 1, monoMs: 1 }, { life: "x", seq: 5 });
  first.close();
  const second = open(path);
  assert.deepEqual(second.place, { life: "x", seq: 5 });
  assert.equal(second.lastSeq, 1);
  second.close();
});

test("a feed gives everything once, in order, from any number, also to one that is slow", async () => {
  const path = join(directory, "journal.db");
  const journal = open(path);
  for (let n = 1; n <= 9_000; n++) journal.say(note(`${n}`));
  journal.flush();
  const feed = new RecordFeed(journal);
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const batch of feed.after(10, stop.signal)) {
    seen.push(...batch.map(({ seq }) => seq));
    if (seen.at(-1) === 9_000) {
      journal.say(note("new"));
      journal.saw("b", 12);
      setImmediate(() => journal.flush());
    }
    if (seen.at(-1) === 9_001) stop.abort();
  }
  assert.equal(seen.length, 8_991);
  seen.forEach((seq, i) => assert.equal(seq, i + 11));
  assert.deepEqual(journal.after(9_000, 1)[0]?.seen, { b: 12 });
  const reader = new JournalReader(openJournalToRead(path));
  assert.equal(reader.lastSeq, 9_001);
  reader.close();
  journal.close();
});

test("tables that a full disk did not take are made when there is room, whoever shares the file", () => {
  const path = join(directory, "journal.db");
  const journal = open(path);
  let isFull = true;
  const made: string[] = [];
  const parts = ["first", "second"].map((name) => (): void => {
    if (isFull && name === "first") throw new Error("database or disk is full");
    made.push(name);
  });
  for (const part of parts) journal.onOpen(part);
  assert.equal(journal.trouble, "database or disk is full");
  journal.say(note("one"));
  journal.flush();
  assert.deepEqual(made, []);
  isFull = false;
  journal.say(note("two"));
  journal.flush();
  assert.deepEqual(made, ["first", "second"]);
  journal.close();
  assert.deepEqual(
    all(path).map(({ kind }) => kind),
    ["note", "note", "gap"],
  );
});
