import assert from "node:assert/strict";
import { test } from "node:test";
import { againIfStolen, stolenMs, Theft } from "./stolen.ts";

test("stolen time is the eighth count of all CPUs, in hundredths of a second", () => {
  const stat = "cpu  100 2 30 4000 5 0 7 42 0 0\ncpu0 50 1 15 2000 2 0 3 40 0 0\n";
  assert.equal(stolenMs(stat), 420);
});

test("this machine's own account is a number that never goes back", () => {
  const before = stolenMs();
  assert.ok(before >= 0);
  assert.ok(stolenMs() >= before);
});

test("a theft counts from its beginning to its end, whatever is stolen before and afterwards", () => {
  let read = 100;
  const theft = new Theft(() => read);
  read = 150;
  assert.equal(theft.ms, 50);
  theft.begin();
  read = 170;
  theft.end();
  read = 300;
  assert.equal(theft.ms, 20);
});

/** Every attempt fails; each is robbed of as much as the list says. Resolves to how many there were. */
async function attempts(robbed: readonly number[]): Promise<number> {
  let read = 0;
  let count = 0;
  const attempt = (): Promise<void> => {
    read += robbed[count++] ?? 0;
    return Promise.reject(new Error("as planned"));
  };
  await assert.rejects(
    againIfStolen(50, attempt, () => read),
    /as planned/,
  );
  return count;
}

test("a failure is tried again only when enough was stolen, and three times at most", async () => {
  assert.equal(await attempts([0]), 1);
  assert.equal(await attempts([50]), 1);
  assert.equal(await attempts([60, 0]), 2);
  assert.equal(await attempts([60, 60, 60, 60]), 3);
  assert.equal(await againIfStolen(50, () => Promise.resolve("well")), "well");
});
