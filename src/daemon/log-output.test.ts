import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { LoggedEvent } from "./control-api.ts";
import { openLog } from "./log-output.ts";

test("a log whose folder is gone does not end a reload, and the next one finds the new folder", () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
  const folder = join(directory, "log");
  const path = join(folder, "nines.log");
  mkdirSync(folder);
  const log = openLog(path);
  const write = (seq: number): void =>
    log.write({
      seq,
      time: "t",
      monoMs: 0,
      source: "control",
      level: "info",
      kind: "note",
      instance: "",
      reason: "",
    });
  renameSync(folder, join(directory, "moved"));
  log.reopen();
  write(1);
  mkdirSync(folder);
  log.reopen();
  write(2);
  const seqs = (file: string): unknown[] =>
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { seq: number }).seq);
  assert.deepEqual(seqs(join(directory, "moved", "nines.log")), [1]);
  assert.deepEqual(seqs(path), [2]);
  rmSync(directory, { recursive: true });
});

test("of what nobody reads a megabyte waits; who reads again is told how much is missing", async () => {
  const program = `import { openLog } from ${JSON.stringify(import.meta.resolve("./log-output.ts"))};
    const log = openLog(undefined);
    const event = { time: "t", monoMs: 0, source: "control", level: "info", kind: "note", instance: "" };
    const write = (seq) => log.write({ ...event, seq, reason: "x".repeat(1000) });
    for (let seq = 1; seq <= 3000; seq++) write(seq);
    console.log(process.stderr.writableLength);
    process.stderr.once("drain", () => write(3001));`;
  const argv = ["--input-type=module", "--disable-warning=ExperimentalWarning", "-e", program];
  const child = spawn(process.execPath, argv);
  const [waiting] = (await once(child.stdout, "data")) as [Buffer];
  assert.ok(Number(waiting) > 1_000_000 && Number(waiting) < 1_100_000, String(waiting));
  const text = (await child.stderr.setEncoding("utf8").toArray()).join("");
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as LoggedEvent);
  assert.equal(lines.at(-1)?.seq, 3001);
  assert.match(lines.at(-2)?.reason ?? "", /^\d+ lines are missing here/);
});
