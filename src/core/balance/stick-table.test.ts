import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { utf8Bytes } from "../../lib/text-bytes.ts";
import { StickTable, stickKey, type StickRecord } from "./stick-table.ts";

const TTL = 1000;
const table = (size = 100) => new StickTable(size, TTL);
const keyOf = (text: string) => {
  const bytes = utf8Bytes(text);
  return stickKey(bytes, 0, bytes.length);
};

test("a client is sent where it was before, until it is unused for the time", () => {
  const ours = table();
  ours.stick(0, "c1", "web1");
  assert.equal(ours.find(999, "c1"), "web1");
  assert.equal(ours.find(1998, "c1"), "web1", "use counts");
  assert.equal(ours.find(2998, "c1"), undefined);
  assert.equal(ours.size, 0);
});

test("a client that is bound anew forgets its old server", () => {
  const ours = table();
  ours.stick(0, "c1", "web1");
  ours.stick(1, "c1", "web2");
  assert.equal(ours.find(2, "c1"), "web2");
  assert.equal(ours.size, 1);
});

test("a full table forgets the one that was not used longest", () => {
  const ours = table(3);
  for (const key of ["a", "b", "c"]) ours.stick(0, key, "web1");
  ours.find(1, "a");
  ours.stick(2, "d", "web2");
  assert.equal(ours.size, 3);
  assert.equal(ours.find(3, "b"), undefined);
  assert.equal(ours.find(3, "a"), "web1");
  ours.update(1, TTL);
  assert.equal(ours.size, 1);
});

test("long keys are kept as digests that no short key can imitate", () => {
  const long = "x".repeat(5000);
  assert.equal(keyOf(long).length, 65);
  assert.notEqual(keyOf(long), keyOf(`${long}y`));
  assert.equal(keyOf("x".repeat(128)), "x".repeat(128));
  assert.notEqual(keyOf(keyOf(long)), keyOf(long));
});

test("different bytes are different keys, and any bytes may be one", () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const same = a.toHex() === b.toHex();
      assert.equal(stickKey(a, 0, a.length) === stickKey(b, 0, b.length), same);
    }),
  );
});

test("a dump gives everything back after a restart, in the same order of use", () => {
  const ours = table();
  for (let i = 0; i < 5; i++) ours.stick(i * 10, `c${i}`, `web${i}`);
  ours.find(100, "c0");
  const file = JSON.parse(JSON.stringify(ours.dump(200))) as StickRecord[];
  const other = table(3);
  other.load(5000, file);
  assert.equal(other.size, 3);
  assert.deepEqual(
    other.dump(5000).map(({ key }) => key),
    ["c3", "c4", "c0"],
  );
  assert.equal(other.find(5000 + 899, "c0"), "web0");
  const late = table();
  late.load(5000, file);
  assert.equal(late.find(5000 + 840, "c4"), undefined, "its time went on");
  assert.deepEqual(late.takeChanges(6000, 10), [], "what came from outside is not told again");
});

test("workers tell each other and agree", () => {
  const [one, two] = [table(), table()];
  one.stick(0, "c1", "web1");
  two.load(5, one.takeChanges(5, 10));
  assert.equal(two.find(6, "c1"), "web1");
  assert.deepEqual(one.takeChanges(6, 10), []);
  two.stick(50, "c1", "web2");
  one.find(60, "c1");
  one.load(70, two.takeChanges(70, 10));
  assert.equal(one.find(71, "c1"), "web2", "the younger binding counts, not the younger use");
});

test("two workers that bind one client at the same moment end with the same server", () => {
  const [one, two] = [table(), table()];
  one.stick(0, "c1", "web2");
  two.stick(0, "c1", "web1");
  const [fromOne, fromTwo] = [one.takeChanges(1, 10), two.takeChanges(1, 10)];
  one.load(1, fromTwo);
  two.load(1, fromOne);
  assert.equal(one.find(2, "c1"), "web1");
  assert.equal(two.find(2, "c1"), "web1");
});

test("use is told now and then, so that the others do not forget a busy client", () => {
  const [one, two] = [table(), table()];
  one.stick(0, "c1", "web1");
  two.load(0, one.takeChanges(0, 10));
  let told = 0;
  for (let now = 1; now < 5000; now++) {
    one.find(now, "c1");
    const changes = one.takeChanges(now, 10);
    told += changes.length;
    two.load(now, changes);
  }
  assert.equal(told, 19);
  assert.equal(two.find(5000, "c1"), "web1");
});

test("changes are told in portions", () => {
  const ours = table();
  for (let i = 0; i < 5; i++) ours.stick(0, `c${i}`, "web1");
  assert.equal(ours.takeChanges(0, 3).length, 3);
  assert.equal(ours.takeChanges(0, 3).length, 2);
  assert.deepEqual(ours.takeChanges(0, 3), []);
});

test("whatever is bound, asked and told: never more entries than allowed, and tables agree", () => {
  const step = fc.record({
    worker: fc.nat(2),
    client: fc.nat(5),
    server: fc.nat(2),
    ms: fc.nat(100),
  });
  const property = fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
    const workers = [table(10), table(10), table(10)];
    let now = 0;
    for (const { worker, client, server, ms } of steps) {
      now += ms;
      workers[worker]!.stick(now, `c${client}`, `web${server}`);
    }
    const told = workers.map((worker) => worker.takeChanges(now, 100));
    workers.forEach((worker, i) =>
      told.forEach((changes, from) => {
        if (from !== i) worker.load(now, changes);
      }),
    );
    const view = (of: StickTable) =>
      of
        .dump(now)
        .map(({ key, server }) => `${key} ${server}`)
        .sort();
    assert.deepEqual(view(workers[1]!), view(workers[0]!));
    assert.deepEqual(view(workers[2]!), view(workers[0]!));
    assert.ok(workers.every((worker) => worker.size <= 10));
  });
  fc.assert(property);
});
