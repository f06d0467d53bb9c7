import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { after, test } from "node:test";

const PROGRAM = `
  const { processTerminal } = await import(${JSON.stringify(import.meta.resolve("./terminal.ts"))});
  processTerminal(false).out("a report");
`;

test("an output that cannot be written is told, and is no success", () => {
  const full = openSync("/dev/full", "w");
  after(() => closeSync(full));
  const { status, stderr } = spawnSync(process.execPath, ["-e", PROGRAM], {
    stdio: ["ignore", full, "pipe"],
    encoding: "utf8",
  });
  assert.equal(status, 1);
  assert.match(stderr, /cannot write the output \(ENOSPC\)/);
});
