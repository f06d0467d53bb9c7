import assert from "node:assert/strict";
import { test } from "node:test";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monotonicMs } from "./clock.ts";
import { ReignReader, ReignRecord } from "./reign-record.ts";

function withDirectory(run: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "reigns-"));
  try {
    run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function open(directory: string): ReignRecord {
  const record = ReignRecord.open(directory);
  assert.ok(record instanceof ReignRecord);
  return record;
}

function writtenReigns(directory: string): ReturnType<ReignReader["read"]> {
  const reader = new ReignReader(directory);
  try {
    return reader.read();
  } finally {
    reader.close();
  }
}

function renewal(instance: string, sequence = 0): Parameters<ReignRecord["note"]>[0] {
  const rest = { identity: `id of ${instance}`, durationMs: 3000, sequence, alone: false };
  return { type: "renew-lease", instance, ...rest };
}

test("a successor finds the last renewal of each instance that did not end", () => {
  withDirectory((directory) => {
    const record = open(directory);
    const before = monotonicMs();
    for (const name of ["A", "B", "C"]) record.note(renewal(name));
    record.note(renewal("A", 2 ** 40 + 1));
    record.end("B");
    const { found } = open(directory);
    assert.deepEqual(
      found.map(({ instance, identity, sequence }) => [instance, identity, sequence]),
      [
        ["A", "id of A", 2 ** 40 + 1],
        ["C", "id of C", 0],
      ],
    );
    for (const reign of found) {
      assert.ok(reign.renewedMs >= before && reign.renewedMs <= monotonicMs());
      assert.equal(reign.leaseUntilMs, reign.renewedMs + 3000);
      assert.equal(reign.alone, false);
    }
  });
});

test("what a successor does not go on with ends in the same file", () => {
  withDirectory((directory) => {
    open(directory).note(renewal("A"));
    const next = open(directory);
    next.note(renewal("B"));
    next.end("A");
    assert.deepEqual(
      writtenReigns(directory).map(({ instance }) => instance),
      ["B"],
    );
    next.note({ ...renewal("A"), identity: "another" });
    assert.equal(writtenReigns(directory).find((r) => r.instance === "A")?.identity, "another");
    next.close();
    assert.deepEqual(writtenReigns(directory), []);
  });
});

test("who looks again finds what changed since: numbers, names, slots, a record begun anew", () => {
  withDirectory((directory) => {
    const reader = new ReignReader(directory);
    assert.deepEqual(reader.read(), []);
    const record = open(directory);
    record.note(renewal("A", 1));
    record.note(renewal("B", 1));
    const told = (): unknown[] =>
      reader.read().map(({ instance, identity, sequence }) => [instance, identity, sequence]);
    assert.deepEqual(told(), [
      ["A", "id of A", 1],
      ["B", "id of B", 1],
    ]);
    record.note(renewal("A", 2));
    record.note({ ...renewal("B", 3), identity: "another" });
    assert.deepEqual(told(), [
      ["A", "id of A", 2],
      ["B", "another", 3],
    ]);
    const path = join(directory, "reigns");
    const whole = readFileSync(path);
    truncateSync(path, whole.length - 7);
    assert.equal(told().length, 2);
    writeFileSync(path, whole);
    assert.equal(told().length, 2, "one that was cut and is whole again");
    record.close();
    assert.deepEqual(told(), []);
    open(directory).note(renewal("C", 4));
    assert.deepEqual(told(), [["C", "id of C", 4]]);
    reader.close();
  });
});

test("who looks again opens the file once, however many instances there are", () => {
  withDirectory((directory) => {
    const record = open(directory);
    const reader = new ReignReader(directory);
    const names = Array.from({ length: 255 }, (_, i) => `V${i}`);
    for (const name of names) record.note(renewal(name));
    assert.deepEqual(
      reader.read().map(({ instance }) => instance),
      names,
    );
    rmSync(join(directory, "reigns"));
    for (const name of names) record.note(renewal(name, 7));
    assert.ok(reader.read().every(({ sequence }) => sequence === 7));
    const before = reader.read();
    record.note(renewal("V3", 8));
    const now = reader.read();
    const changed = names.filter((_, i) => before[i] !== now[i]);
    assert.deepEqual([now.length, changed], [255, ["V3"]], "what was not renewed is not read anew");
    const files = readdirSync("/proc/self/fd").length;
    reader.close();
    assert.equal(readdirSync("/proc/self/fd").length, files - 1);
  });
});

test("another boot, a cut or a spoilt file: no reigns, and no error", () => {
  withDirectory((directory) => {
    const path = join(directory, "reigns");
    open(directory).note(renewal("A"));
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length += 7) {
      writeFileSync(path, whole);
      truncateSync(path, length);
      assert.ok(open(directory).found.length <= 1);
    }
    writeFileSync(path, whole.toString("latin1").replace(/boot":"./, 'boot":"x'), "latin1");
    assert.deepEqual(open(directory).found, []);
    assert.deepEqual(writtenReigns(join(directory, "nowhere")), []);
  });
});
