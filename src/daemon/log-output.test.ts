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
    const most = 1_048_576;
    let seq = 0;
    // How much the kernel takes is its matter.
    while (process.stderr.writableLength <= most) write(++seq);
    const waiting = process.stderr.writableLength - most;
    for (let i = 0; i < 100; i++) write(++seq);
    console.log(JSON.stringify([waiting, process.stderr.writableLength - most, seq + 1]));
    process.stderr.once("drain", () => write(++seq));`;
  const argv = ["--input-type=module", "--disable-warning=ExperimentalWarning", "-e", program];
  const child = spawn(process.execPath, argv);
  const [told] = (await once(child.stdout, "data")) as [Buffer];
  const [waiting, then, last] = JSON.parse(told.toString()) as [number, number, number];
  assert.ok(waiting < 2000, String(waiting));
  assert.equal(then, waiting, "no more is kept");
  const text = (await child.stderr.setEncoding("utf8").toArray()).join("");
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as LoggedEvent);
  assert.equal(lines.at(-1)?.seq, last);
  assert.match(lines.at(-2)?.reason ?? "", /^100 lines are missing here/);
});
