/**
 * A disk without room, made by RLIMIT_FSIZE: a write takes what fits and the next one fails, as
 * on a full file system. In processes of their own, because the limit is the process's.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nines-full-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const SOURCES = new URL("../", import.meta.url).href;
const PRELUDE = `
  import { setrlimit } from "${SOURCES}drivers/ffi.ts";
  import { OwnedRecord } from "${SOURCES}drivers/owned-record.ts";
  import { MailSpool } from "${SOURCES}drivers/mail-spool.ts";
  import { openLog } from "${SOURCES}daemon/log-output.ts";
  process.on("SIGXFSZ", () => {});
  const room = (bytes) => setrlimit(1, bytes, 2 ** 40);
  const directory = process.argv[1];
  const say = (value) => console.log(JSON.stringify(value));
  const macvlan = (n) => ({ kind: "macvlan", name: "vrrp." + n });
`;

/** What the code said, line by line. */
function play(code: string): { said: unknown[]; stderr: string } {
  const args = ["--input-type=module", "--eval", PRELUDE + code, directory];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const said = stdout.trim().split("\n");
  return { said: said.map((line): unknown => JSON.parse(line)), stderr };
}

const lines = (file: string): string[] => readFileSync(join(directory, file), "utf8").split("\n");

test("the record of what is ours never keeps half an entry, and goes on when there is room", () => {
  const { said } = play(`
    const record = OwnedRecord.load(directory);
    room(300);
    let full = 0;
    for (let n = 1; n <= 20; n++) if (record.add([macvlan(n)]) !== undefined) full++;
    say(full);
    say(record.entries.length);
    say(record.add([macvlan(21)])?.message);
    room(1e6);
    say(record.add([macvlan(22)]) ?? "added");
    const known = record.entries;
    const next = OwnedRecord.load(directory);
    say(JSON.stringify(next.entries) === JSON.stringify(known));
  `);
  const [full, kept, failure, added, isSame] = said as [number, number, string, string, boolean];
  assert.ok(full > 0 && kept > 0, "some fitted and some did not");
  assert.equal(full + kept, 20);
  assert.match(failure, /EFBIG|ENOSPC/);
  assert.deepEqual([added, isSame], ["added", true]);
  for (const line of lines("owned.json").slice(1, -1)) JSON.parse(line.slice(1));
});

test("a process that starts on a full disk knows what is ours and can take it back", () => {
  const { said } = play(`
    const record = OwnedRecord.load(directory);
    record.add(Array.from({ length: 10 }, (_, n) => macvlan(n)));
    room(200);
    const next = OwnedRecord.load(directory);
    say(next.entries?.length ?? next.message);
    room(1e6);
    say(next.remove([macvlan(3)]) ?? "taken back");
    say(OwnedRecord.load(directory).entries.length);
  `);
  assert.deepEqual(said, [10, "taken back", 9]);
  assert.deepEqual(readdirSync(directory), ["owned.json"]);
});

test("waiting mails that do not fit leave the earlier ones as they were", () => {
  const { said } = play(`
    const spool = new MailSpool(directory);
    const mail = (n) => ({ subject: "mail " + n, text: "x".repeat(100) });
    say(spool.save([mail(1)]) ?? "kept");
    room(200);
    say(spool.save([mail(1), mail(2)]));
    say(spool.load().length);
  `);
  const [kept, problem, waiting] = said;
  assert.deepEqual([kept, waiting], ["kept", 1]);
  assert.match(String(problem), /cannot be kept in .*mail\.json \((EFBIG|ENOSPC)\)/);
  assert.deepEqual(readdirSync(directory), ["mail.json"]);
});

test("the log keeps whole lines, says once that it is full, and later how much is missing", () => {
  const { stderr } = play(`
    const log = openLog(directory + "/log");
    const write = (seq) => log.write({ seq, time: "t", source: "vrrp", level: "info",
      kind: "note", instance: "VI_1", reason: "x".repeat(50) });
    room(500);
    for (let seq = 1; seq <= 10; seq++) write(seq);
    room(1e6);
    write(11);
    write(12);
    say("end");
  `);
  assert.equal(stderr.match(/cannot be written/g)?.length, 1);
  const written = lines("log").slice(0, -1);
  const events = written.map((line) => JSON.parse(line) as { seq: number; reason: string });
  const missing = events.findIndex((event) => event.reason.includes("missing"));
  assert.ok(missing > 0 && missing < 10);
  const expected = `${10 - missing} lines are missing here: the log could not be written`;
  assert.equal(events[missing]?.reason, expected);
  assert.deepEqual(
    events.slice(missing).map((event) => event.seq),
    [10, 11, 12],
  );
});

test("the history of drills is made shorter as a whole or not at all", () => {
  const { said } = play(`
    import { appendLine, readLines } from "${SOURCES}drivers/drill-files.ts";
    const line = { wallMs: 1, kind: "drill-refused", id: "", drill: "x", reason: "r".repeat(1e6) };
    for (let i = 0; i < 10; i++) appendLine(directory, line);
    room(3e6);
    say(readLines(directory).length);
    room(1e9);
    say(readLines(directory).length);
    say(readLines(directory).length);
  `);
  assert.deepEqual(said, [10, 10, 5]);
  assert.deepEqual(readdirSync(directory), ["drills.jsonl"]);
});
