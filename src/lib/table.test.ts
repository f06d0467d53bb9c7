import { test } from "node:test";
import assert from "node:assert/strict";
import { formatTable, visibleLength } from "./table.ts";

test("columns are aligned to their widest cell and lines carry no blanks at the end", () => {
  assert.deepEqual(
    formatTable(
      ["NAME", "STATE", ""],
      [
        ["VI_1", "MASTER", "x"],
        ["a_longer_name", "BACKUP", ""],
      ],
    ),
    ["NAME           STATE", "VI_1           MASTER  x", "a_longer_name  BACKUP"],
  );
});

test("colour codes take no width", () => {
  assert.equal(visibleLength("\u001B[32mMASTER\u001B[0m"), 6);
});
