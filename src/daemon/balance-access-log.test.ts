import assert from "node:assert/strict";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync } from "node:fs";
import { renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeFifo } from "../drivers/descriptors.ts";
import { AccessLog, type LineWriter } from "./balance-access-log.ts";

const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

function line(text: string): LineWriter {
  return (out, at) => at + Buffer.from(out.buffer, out.byteOffset, out.length).write(text, at);
}

test("every line is written once and in order, whatever the pace", async () => {
  const path = join(directory, "all.log");
  const log = new AccessLog(path);
  const count = 20_000;
  for (let i = 0; i < count; i++) log.add(line(`${i} ${"x".repeat(i % 90)}\n`));
  await log.close();
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  assert.equal(lines.length + log.dropped, count);
  assert.equal(log.dropped, 0);
  assert.ok(lines.every((text, i) => text.startsWith(`${i} `)));
});

test("more than the bound is dropped and counted instead of kept", async () => {
  const path = join(directory, "flood.log");
  const log = new AccessLog(path);
  const long = `${"y".repeat(30_000)}\n`;
  for (let i = 0; i < 1000; i++) log.add(line(long));
  await log.close();
  const written = readFileSync(path, "utf8").trimEnd().split("\n").length;
  assert.ok(log.dropped > 0);
  assert.equal(written + log.dropped, 1000);
});

test("after a rotation lines go to a new file of the same name", async () => {
  const path = join(directory, "rotated.log");
  const log = new AccessLog(path);
  log.add(line("before\n"));
  await log.flush();
  renameSync(path, `${path}.1`);
  log.reopen();
  log.add(line("after\n"));
  await log.close();
  assert.equal(readFileSync(`${path}.1`, "utf8"), "before\n");
  assert.equal(readFileSync(path, "utf8"), "after\n");
});

test("what comes while the disk is slow is written without waiting for the next line", async () => {
  const path = join(directory, "slow.log");
  assert.equal(makeFifo(path), 0);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const log = new AccessLog(path);
  // More than a pipe holds.
  for (let i = 0; i < 6; i++) log.add(line(`${"z".repeat(30_000)}\n`));
  await sleep(50);
  log.add(line("the last\n"));
  await sleep(700);
  const bytes = Buffer.alloc(1 << 20);
  let got = 0;
  for (let i = 0; i < 500 && !bytes.subarray(0, got).toString().endsWith("the last\n"); i++) {
    try {
      got += readSync(reader, bytes, got, bytes.length - got, null);
    } catch {
      // Nothing there yet.
    }
    await sleep(10);
  }
  assert.ok(bytes.subarray(0, got).toString().endsWith("the last\n"));
  await log.close();
  closeSync(reader);
});
