import assert from "node:assert/strict";
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { readSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeFifo } from "../drivers/descriptors.ts";
import { ioctl, NativeMemory } from "../drivers/ffi.ts";
import { AccessLog, type LineWriter } from "./balance-access-log.ts";

const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

function never(trouble: string): void {
  assert.fail(trouble);
}

function line(text: string): LineWriter {
  return (out, at) => at + Buffer.from(out.buffer, out.byteOffset, out.length).write(text, at);
}

test("every line is written once and in order, whatever the pace", async () => {
  const path = join(directory, "all.log");
  const log = new AccessLog(path, never);
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
  const told: string[] = [];
  const log = new AccessLog(path, (trouble) => void told.push(trouble));
  const long = `${"y".repeat(30_000)}\n`;
  for (let i = 0; i < 1000; i++) log.add(line(long));
  await log.close();
  const written = readFileSync(path, "utf8").trimEnd().split("\n").length;
  assert.ok(log.dropped > 0);
  assert.equal(written + log.dropped, 1000);
  assert.deepEqual(told, [
    `access log ${path}: lines are lost: the disk is too slow`,
    `access log ${path}: written again, ${log.dropped} lines lost`,
  ]);
});

test("after a rotation lines go to a new file of the same name", async () => {
  const path = join(directory, "turned.log");
  const log = new AccessLog(path, never);
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
  const log = new AccessLog(path, never);
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

test("a full disk is told once, and how much it cost when there is room again", async () => {
  const path = join(directory, "full.log");
  symlinkSync("/dev/full", path);
  const told: string[] = [];
  const log = new AccessLog(path, (trouble) => void told.push(trouble));
  for (const text of ["one\n", "two\n", "three\n"]) {
    log.add(line(text));
    await log.flush();
  }
  rmSync(path);
  log.reopen();
  log.add(line("four\n"));
  await log.close();
  assert.equal(readFileSync(path, "utf8"), "four\n");
  assert.equal(log.dropped, 3);
  assert.deepEqual(told, [
    `access log ${path}: lines are lost: ENOSPC: no space left on device, write`,
    `access log ${path}: written again, 3 lines lost`,
  ]);
});

/** Bytes that wait to be read. */
const FIONREAD = 0x541b;

/** A pipe holds 64 KiB. */
async function untilFull(fifo: number): Promise<void> {
  const waiting = new NativeMemory(4);
  do await sleep(5);
  while (ioctl(fifo, FIONREAD, waiting) < 0 || waiting.view.getInt32(0, true) < 60_000);
}

test("a line that was lost half-way takes no other one with it", async () => {
  const path = join(directory, "torn.log");
  assert.equal(makeFifo(path), 0);
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const first = openSync(path, flags);
  const log = new AccessLog(path, () => {});
  // More than a pipe holds: nobody reads the rest.
  for (let i = 0; i < 3; i++) log.add(line(`${"z".repeat(30_000)}\n`));
  await untilFull(first);
  closeSync(first);
  await log.flush();
  assert.equal(log.dropped, 1);
  const second = openSync(path, flags);
  const bytes = Buffer.alloc(1 << 20);
  assert.match(bytes.toString("utf8", 0, readSync(second, bytes)), /z$/);
  log.add(line("whole\n"));
  await log.close();
  assert.equal(bytes.toString("utf8", 0, readSync(second, bytes)), "\nwhole\n");
  closeSync(second);
});

test("a line that was lost half-way leaves nothing behind in the file after a rotation", async () => {
  const path = join(directory, "half.log");
  assert.equal(makeFifo(path), 0);
  const first = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const log = new AccessLog(path, () => {});
  for (let i = 0; i < 3; i++) log.add(line(`${"z".repeat(30_000)}\n`));
  await untilFull(first);
  renameSync(path, `${path}.1`);
  log.reopen();
  closeSync(first);
  log.add(line("whole\n"));
  await log.close();
  assert.equal(readFileSync(path, "utf8"), "whole\n");
});

test("a rotation into a file that cannot be opened is told", async () => {
  const path = join(directory, "kept.log");
  const told: string[] = [];
  const log = new AccessLog(path, (trouble) => void told.push(trouble));
  log.add(line("before\n"));
  await log.flush();
  renameSync(path, `${path}.1`);
  mkdirSync(path);
  log.reopen();
  log.add(line("after\n"));
  await log.close();
  assert.equal(readFileSync(`${path}.1`, "utf8"), "before\nafter\n");
  assert.equal(told.length, 1);
  assert.match(told[0]!, /^access log \S+: the old file goes on: EISDIR/);
});
