import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckVerdict } from "./check-settings.ts";
import { combinedVerdict, isOtherVerdict } from "./combined-verdict.ts";

function verdict(up: boolean, more: Partial<CheckVerdict> = {}): CheckVerdict {
  const reason = up ? "check passed: status 200, 1 of 1" : "check failed: ECONNREFUSED, 1 of 1";
  return { subject: "web/web1", up, reason, latencyMs: 1, ...more };
}

test("one check alone is the verdict, word for word", () => {
  const one = verdict(true, { warning: "certificate ends in 9 days" });
  assert.equal(combinedVerdict([one]), one);
  assert.equal(combinedVerdict([undefined]), undefined);
});

test("a server is up when all have passed, down as soon as one has failed, unknown before", () => {
  assert.equal(combinedVerdict([verdict(true), undefined]), undefined);
  assert.equal(combinedVerdict([undefined, verdict(false)])?.up, false);
  const both = combinedVerdict([verdict(true), verdict(true, { latencyMs: 7 })]);
  assert.deepEqual([both?.up, both?.latencyMs], [true, 7]);
  assert.match(both?.reason ?? "", /^2 checks passed/);
});

test("the strictest weight and order count, and the reason is that of the failure", () => {
  const parts = [
    verdict(true, { weightPercent: 80, admin: "drain" }),
    verdict(false, { weightPercent: 50 }),
    verdict(true, { admin: "ready", maxConnections: 30 }),
    verdict(true, { maxConnections: 0 }),
  ];
  const all = combinedVerdict(parts);
  assert.deepEqual([all?.weightPercent, all?.admin, all?.up], [50, "drain", false]);
  assert.equal(all?.maxConnections, 30);
  assert.match(all?.reason ?? "", /ECONNREFUSED/);
});

test("another reason to be down is told, another latency is not", () => {
  const down = {
    subject: "web/a",
    up: false,
    reason: "check failed: status 503, 3 of 3",
    latencyMs: 1,
  };
  assert.equal(isOtherVerdict(down, { ...down, latencyMs: 2 }), false);
  assert.equal(
    isOtherVerdict(down, { ...down, reason: "check failed: ECONNREFUSED, 3 of 3" }),
    true,
  );
  assert.equal(isOtherVerdict({ ...down, up: true }, { ...down, up: true, reason: "x" }), false);
});
