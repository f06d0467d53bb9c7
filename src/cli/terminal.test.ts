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

test("a reader that goes away is an end, unless something was still to be proved", () => {
  const write = `
    const { processTerminal } = await import(${JSON.stringify(import.meta.resolve("./terminal.ts"))});
    process.exitCode = Number(process.env.CODE);
    const { out } = processTerminal(false);
    setInterval(() => out("a line"), 1);
  `;
  for (const code of ["0", "1"]) {
    const line = `"${process.execPath}" -e "$PROGRAM" | head -n 1 >/dev/null; exit \${PIPESTATUS[0]}`;
    const env = { ...process.env, PROGRAM: write, CODE: code };
    const { status } = spawnSync("bash", ["-c", line], { env, timeout: 30_000 });
    assert.equal(status, Number(code));
  }
});
