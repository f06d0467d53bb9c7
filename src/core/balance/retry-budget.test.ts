import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { poolSettings } from "../../../test/kit/pool-rig.ts";
import { RetryBudget } from "./retry-budget.ts";

const SETTINGS = poolSettings([]).retry;
const budget = (draft: Partial<typeof SETTINGS> = {}) =>
  new RetryBudget({ ...SETTINGS, ...draft }, 0);

function retries(of: RetryBudget, now: number): number {
  let count = 0;
  while (count < 10_000 && of.tryRetry(now)) count++;
  return count;
}

test("a fifth of the requests may be tried again", () => {
  const ours = budget({ budgetMinimumPerSecond: 0 });
  for (let i = 0; i < 1000; i++) ours.requested(500);
  assert.equal(ours.balance(500), 200);
  assert.equal(retries(ours, 500), 200);
  assert.equal(ours.tryRetry(500), false);
});

test("credits expire after ten seconds", () => {
  const ours = budget({ budgetMinimumPerSecond: 0 });
  for (let i = 0; i < 100; i++) ours.requested(999);
  assert.equal(ours.balance(9999), 20);
  assert.equal(ours.balance(10_000), 0);
});

test("a minimum per second is there without any requests, and comes back", () => {
  const ours = budget({ budgetPercent: 0, budgetMinimumPerSecond: 3 });
  assert.equal(retries(ours, 0), 30);
  assert.equal(retries(ours, 9999), 0);
  assert.equal(retries(ours, 10_000), 30);
});

test("no budget at all allows no retry", () => {
  assert.equal(budget({ budgetPercent: 0, budgetMinimumPerSecond: 0 }).tryRetry(0), false);
});

test("when every request fails, retries add a fifth to the load and not more", () => {
  const ours = budget({ budgetMinimumPerSecond: 1 });
  let retried = 0;
  for (let now = 0; now < 60_000; now++) {
    ours.requested(now);
    for (let i = 0; i < 3; i++) if (ours.tryRetry(now)) retried++;
  }
  assert.ok(retried > 11_900 && retried <= 12_000 + 70, `${retried}`);
});

test("in any ten seconds there are never more retries than the budget says", () => {
  const steps = fc.array(fc.tuple(fc.nat(3000), fc.boolean()), { maxLength: 300 });
  const property = fc.property(steps, (drawn) => {
    const ours = budget({ budgetPercent: 30, budgetMinimumPerSecond: 1 });
    let now = 0;
    const made: number[] = [];
    const asked: number[] = [];
    for (const [ms, isRequest] of drawn) {
      now += ms / 10;
      if (isRequest) {
        ours.requested(now);
        asked.push(now);
      } else if (ours.tryRetry(now)) made.push(now);
      const recent = (at: number) => at > now - 9000;
      const counted = made.filter(recent).length;
      const earned = 10 + 0.3 * asked.filter((at) => at > now - 20_000).length;
      assert.ok(counted <= earned, `${counted} of ${earned}`);
    }
  });
  fc.assert(property);
});
