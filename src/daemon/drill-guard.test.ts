import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readLines } from "../drivers/drill-files.ts";
import { undoAll } from "./drill-guard.ts";

test("an undo is told where its drill was; a place that is gone is not made again", async () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-guard-"));
  const file = { id: "1", drill: "mute", withinMs: 1, silenceMs: 1, stateDirectory: directory };
  const path = join(directory, "1.json");
  try {
    assert.deepEqual(await undoAll(path, { ...file, undo: [["true"]] }, "its conductor died"), []);
    assert.equal(readLines(directory).length, 1);
    rmSync(directory, { recursive: true });
    assert.deepEqual(await undoAll(path, { ...file, undo: [["true"]] }, "its conductor died"), []);
    assert.equal(existsSync(directory), false);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
