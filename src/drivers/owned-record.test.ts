import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import * as fc from "fast-check";
import { OwnedRecord } from "./owned-record.ts";
import type { OwnedEntry } from "./owned-record.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nines-record-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function load(): OwnedRecord {
  const record = OwnedRecord.load(join(directory, "state"));
  assert.ok(record instanceof OwnedRecord);
  return record;
}

const path = (): string => join(directory, "state", "owned.json");
const macvlan = (name: string): OwnedEntry => ({ kind: "macvlan", name });

test("a process that dies without a word leaves what it added and not what it took back", () => {
  const record = load();
  record.add([macvlan("vrrp.1"), macvlan("vrrp.2"), { kind: "lease", table: "nines-1" }]);
  record.remove([macvlan("vrrp.1")]);
  assert.deepEqual(load().entries, [macvlan("vrrp.2"), { kind: "lease", table: "nines-1" }]);
});

test("the file is for its owner, the directory for its group", () => {
  load();
  assert.equal(statSync(path()).mode & 0o777, 0o600);
  assert.equal(statSync(join(directory, "state")).mode & 0o777, 0o750);
});

test("a record of another boot or namespace speaks of nothing that is here", () => {
  load().add([macvlan("vrrp.1")]);
  writeFileSync(path(), readFileSync(path(), "utf8").replace(/net:\[\d+\]/, "net:[1]"));
  assert.deepEqual(load().entries, []);
});

test("broken and half written lines are passed over", () => {
  load().add([macvlan("vrrp.1")]);
  appendFileSync(path(), '7\n+null\n\n+{"kind":"macv');
  assert.deepEqual(load().entries, [macvlan("vrrp.1")]);
});

test("a directory that cannot be made is a value", () => {
  writeFileSync(join(directory, "state"), "a file");
  const failure = OwnedRecord.load(join(directory, "state"));
  assert.ok(!(failure instanceof OwnedRecord));
  assert.match(failure.message, /EEXIST|ENOTDIR/);
});

test("after any adding and taking back, a restart knows what the process knew", () => {
  const step = fc.record({
    add: fc.boolean(),
    names: fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      rmSync(path(), { force: true });
      const record = load();
      for (const { add, names } of steps) {
        const entries = names.map(macvlan);
        assert.equal(add ? record.add(entries) : record.remove(entries), undefined);
      }
      const known = record.entries;
      const next = load();
      assert.deepEqual(next.entries, known);
      record.close();
      next.close();
    }),
    { numRuns: 50 },
  );
});
