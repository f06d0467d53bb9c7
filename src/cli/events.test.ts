import { after, test } from "node:test";
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { JournalRecord } from "../core/journal/record.ts";
import { ControlClient } from "../daemon/control-client.ts";
import { journalPath, openJournal } from "../drivers/journal-database.ts";
import { JournalStore } from "../drivers/journal-store.ts";
import { events, type EventsOptions } from "./events.ts";
import { parseWhen } from "./journal-commands.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-events-"));
after(() => rmSync(folder, { recursive: true }));
const NOBODY = new ControlClient(join(folder, "absent.sock"));

function record(seq: number, more: Partial<JournalRecord> = {}): JournalRecord {
  const at = { wallMs: Date.now() - 100_000 + seq, monoMs: seq, boot: "x", node: "a" };
  const what = { source: "control", level: "info", kind: "note", subject: "web/a" } as const;
  return { ...at, ...what, seq, reason: `reason ${seq}`, ...more };
}

function journal(name: string, records: readonly JournalRecord[]): string {
  const path = name === "" ? journalPath(folder) : join(folder, name);
  const store = new JournalStore(openJournal(path, 0).database);
  store.append(records, undefined);
  store.close();
  return path;
}

async function says(
  options: Partial<EventsOptions>,
  client = NOBODY,
): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const terminal = {
    out: (text: string) => void lines.push(text),
    err: (text: string) => void lines.push(text),
    color: false,
  };
  const all = { stateDir: folder, follow: false, json: true, lines: 1000, ...options };
  return { code: await events(client, all, terminal), lines };
}

const seqs = async (options: Partial<EventsOptions>): Promise<number[]> =>
  (await says(options)).lines
    .filter((line) => !line.startsWith("nines: "))
    .map((line) => (JSON.parse(line) as { seq: number }).seq);

test("without a journal and without a node the next move is told", async () => {
  const { code, lines } = await says({});
  assert.equal(code, 1);
  assert.match(lines[0] ?? "", /there is no journal .*journal\.db: name its --state-dir/);
});

test("a journal that cannot be read is told; a node that runs tells what it still knows", async () => {
  const places = mkdtempSync(join(folder, "broken-"));
  const broken = journalPath(places);
  writeFileSync(broken, "no journal");
  const dead = await says({ stateDir: places });
  assert.equal(dead.code, 1);
  assert.match(dead.lines.join("\n"), /journal\.db cannot be read: /);
  assert.match((await says({ merged: [broken] })).lines[0] ?? "", /cannot be read: /);
  const client = {
    status: async () => ({ roles: [{ name: "console" }], stateDirectory: places }),
    events: async () => [record(7)].map((one) => ({ ...one, time: "2026-01-01T00:00:00.000Z" })),
  } as unknown as ControlClient;
  const living = await says({ stateDir: places }, client);
  assert.equal(living.code, 0);
  assert.match(living.lines.join("\n"), /cannot be read.*\n.*still knows\n.*"seq":7/);
});

test("of a node without a journal as many lines are shown as were asked for", async () => {
  const known = [1, 2, 3, 4].map((seq) => ({ ...record(seq), time: "2026-01-01T00:00:00.000Z" }));
  const followed: number[] = [];
  const client = {
    status: async () => ({ roles: [], stateDirectory: folder }),
    events: async () => known,
    follow: async (from: number) => void followed.push(from),
  } as unknown as ControlClient;
  const shown = async (options: Partial<EventsOptions>): Promise<string[]> =>
    (await says(options, client)).lines.map((line) => /"seq":(\d)/.exec(line)?.[1] ?? line);
  assert.deepEqual(await shown({ lines: 2 }), ["3", "4"]);
  assert.deepEqual(await shown({ lines: 2, since: { agoMs: 1e15 } }), ["1", "2", "3", "4"]);
  assert.deepEqual(await shown({ lines: 1, follow: true }), ["4", "nines ended"]);
  assert.deepEqual(await shown({ lines: 0, follow: true }), ["nines ended"]);
  assert.deepEqual(followed, [4, 4]);
  assert.match((await shown({ kind: "absent" }))[0] ?? "", /knows nothing of that/);
});

test("the journal of a dead node is read by number, time, subject and level", async () => {
  const all = Array.from({ length: 12_000 }, (_, i) =>
    record(i + 1, i % 4_000 === 3 ? { level: "error", subject: "web" } : {}),
  );
  journal("", all);
  assert.deepEqual(await seqs({ lines: 2 }), [11_999, 12_000]);
  assert.deepEqual((await says({ lines: 0 })).lines, []);
  assert.deepEqual(await seqs({ since: { seq: 11_998 } }), [11_999, 12_000]);
  assert.equal((await seqs({ since: { agoMs: 3_600_000 } })).length, 12_000);
  assert.equal((await seqs({ since: { agoMs: 10_000 } })).length, 0);
  const since = { wallMs: all[10]!.wallMs };
  assert.deepEqual(await seqs({ since, until: { wallMs: all[12]!.wallMs } }), [11, 12]);
  assert.deepEqual(await seqs({ level: "warning" }), [4, 4_004, 8_004]);
  assert.deepEqual(await seqs({ subject: "web" }), [4, 4_004, 8_004]);
  // The pool, and what is below it.
  assert.equal((await seqs({ subject: "web/*", since: { seq: 0 } })).length, 12_000);
  const { lines } = await says({ json: false, lines: 1 });
  assert.match(lines[0] ?? "", /^\d\d:\d\d:\d\d\.\d{3} web\/a: reason 12000$/);
});

test("the newest are told in the order of their times", async () => {
  const stateDir = mkdtempSync(join(folder, "order-"));
  const at = Date.now() - 1_000;
  const store = new JournalStore(openJournal(journalPath(stateDir), 0).database);
  store.append(
    [3, 1, 2].map((late, i) => record(i + 1, { wallMs: at + late })),
    undefined,
  );
  store.close();
  assert.deepEqual(await seqs({ stateDir }), [2, 3, 1]);
});

test("a copy of a journal is read where nothing can be written beside it, by a relative name", async () => {
  // There is no room for `-shm` after such a name.
  const path = join(folder, `100% a#${"1".repeat(245)}.db`);
  cpSync(journal("whole.db", [record(1)]), path);
  const { code, lines } = await says({ merged: [relative(process.cwd(), path)] });
  assert.deepEqual([code, lines.length], [0, 1]);
});

test("of a journal without its newest part it is told what is missing", async () => {
  const path = join(folder, "living.db");
  const { database } = openJournal(path, 0);
  const copy = join(folder, "copy.db");
  cpSync(path, copy);
  const store = new JournalStore(database);
  assert.match((await says({ merged: [copy] })).lines[0] ?? "", /copy\.db-wal as well/);
  store.close();
});

test("journals of two nodes are one story, effects after their causes", async () => {
  const change = { kind: "state-changed", subject: "VI_1", source: "vrrp" } as const;
  const a = journal("a.db", [
    record(1, { ...change, data: { from: "MASTER", to: "BACKUP", address: "10.0.0.1" } }),
  ]);
  const took = { from: "BACKUP", to: "MASTER", cause: "resigned", peer: "10.0.0.1" };
  const b = journal("b.db", [
    record(1, { ...change, node: "b", boot: "y", data: took, wallMs: Date.now() - 7_200_000 }),
  ]);
  const { code, lines } = await says({ merged: [b, a], json: false });
  assert.equal(code, 0);
  assert.match(lines[0] ?? "", /a .* VI_1 MASTER -> BACKUP/);
  assert.match(lines[1] ?? "", /b .* VI_1 BACKUP -> MASTER/);
  assert.equal((await says({ merged: [join(folder, "no.db")] })).code, 1);
});

test("whoever follows also gets what was written while the past was being shown", async () => {
  const places = mkdtempSync(join(folder, "follow-"));
  const store = new JournalStore(openJournal(journalPath(places), 0).database);
  store.append([record(1)], undefined);
  const enough = new Error("enough");
  const shown: number[] = [];
  const terminal = {
    out: (text: string): void => {
      const { seq } = JSON.parse(text) as { seq: number };
      shown.push(seq);
      if (seq === 1) store.append([record(2)], undefined);
      // The third comes when following has begun, so that a second one that is skipped is seen.
      if (shown.length === 2) throw enough;
    },
    err: () => {},
    color: false,
  };
  const next = setTimeout(() => store.append([record(3)], undefined), 50);
  const options = { stateDir: places, follow: true, json: true, lines: 10 };
  await assert.rejects(events(NOBODY, options, terminal), enough);
  clearTimeout(next);
  assert.deepEqual(shown, [1, 2]);
  store.close();
});

test("a moment is a number, a time, or how long ago", () => {
  assert.deepEqual(parseWhen("17"), { seq: 17 });
  assert.deepEqual(parseWhen("10m"), { agoMs: 600_000 });
  assert.deepEqual(parseWhen("2026-01-01T00:00:00Z"), { wallMs: 1_767_225_600_000 });
  assert.throws(() => parseWhen("yesterday"), /write 10m/);
});

test("where nothing is found, what may be misspelt is told", async () => {
  const stateDir = mkdtempSync(join(folder, "misspelt-"));
  const store = new JournalStore(openJournal(journalPath(stateDir), 0).database);
  store.append([record(1, { kind: "server-down" }), record(2)], undefined);
  store.close();
  const said = async (options: Partial<EventsOptions>): Promise<string> => {
    const { code, lines } = await says({ stateDir, ...options });
    assert.equal(code, 0);
    return lines.join("\n");
  };
  assert.equal(
    await said({ kind: "server-dwn" }),
    "nines: the journal has nothing of the kind 'server-dwn'; did you mean 'server-down'?",
  );
  assert.equal(
    await said({ subject: "none/at-all" }),
    "nines: the journal has nothing of the subject 'none/at-all'",
  );
  assert.equal(await said({ level: "error" }), "nines: the journal has nothing of that");
});
