import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
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
