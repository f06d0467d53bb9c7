import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bucketEndMs, Histogram, HISTOGRAM_BUCKETS } from "./histogram.ts";

test("a quantile is never below the value recorded and at most a quarter above", () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 0xfffffffe }), (us) => {
      const histogram = new Histogram();
      histogram.record(us / 1000);
      const said = histogram.quantile(0.5) * 1000;
      assert.ok(said > us - 1e-6 && said <= us * 1.25 + 1, `${us} us became ${said} us`);
    }),
  );
});

test("buckets end in rising order", () => {
  for (let i = 1; i < HISTOGRAM_BUCKETS; i++) assert.ok(bucketEndMs(i) > bucketEndMs(i - 1));
});

test("quantiles of many values come in order, and nothing is lost at both ends", () => {
  const histogram = new Histogram();
  for (let i = 1; i <= 1000; i++) histogram.record(i);
  histogram.record(0);
  histogram.record(1e12);
  assert.equal(histogram.total, 1002);
  assert.ok(Math.abs(histogram.quantile(0.5) / 500 - 1) < 0.26);
  assert.ok(Math.abs(histogram.quantile(0.99) / 990 - 1) < 0.26);
  assert.equal(histogram.quantile(0), bucketEndMs(0));
  assert.equal(new Histogram().quantile(0.9), 0);
});
