import assert from "node:assert/strict";
import { test } from "node:test";
import { Kernel } from "./kernel.ts";

const vip = "10.0.0.200";

function holding(): Kernel {
  const kernel = new Kernel(1);
  kernel.renewLease("V1", 0, 3000);
  assert.ok(kernel.add("V1", 0, [vip]));
  return kernel;
}

test("an address answers until its lease lapses, and is still there afterwards", () => {
  const kernel = holding();
  assert.ok(kernel.answers("V1", vip, 2999));
  assert.ok(!kernel.answers("V1", vip, 3000));
  assert.ok(kernel.holds("V1", vip));
});

test("an address without a lease answers for ever", () => {
  const kernel = new Kernel(1);
  kernel.add("V1", 0, [vip]);
  assert.equal(kernel.answering(0, vip, 1e12), "V1");
});

test("prepared addresses are nobody's until the lease is renewed", () => {
  const kernel = new Kernel(1);
  kernel.prepare("V1", 0, [vip]);
  assert.ok(kernel.isPrepared("V1") && !kernel.answers("V1", vip, 0));
  assert.ok(!kernel.holds("V1", vip) && !kernel.holdsAny("V1"));
  kernel.renewLease("V1", 0, 3000);
  assert.ok(!kernel.isPrepared("V1") && kernel.answers("V1", vip, 0));
  kernel.removeAll("V1");
  assert.ok(!kernel.holdsAny("V1"));
});

test("no link, no answer", () => {
  const kernel = holding();
  kernel.linkUp[0] = false;
  assert.ok(!kernel.answers("V1", vip, 0));
});

test("a kernel that refuses addresses adds none", () => {
  const kernel = new Kernel(1);
  kernel.refusesAddresses = true;
  assert.ok(!kernel.add("V1", 0, [vip]));
  assert.ok(!kernel.holdsAny("V1"));
});

test("a stranger can take an address away once", () => {
  const kernel = holding();
  assert.ok(kernel.removeOne("V1", vip));
  assert.ok(!kernel.removeOne("V1", vip));
  assert.ok(!kernel.holdsAny("V1"));
});

test("the power cut takes addresses, leases and refusals", () => {
  const kernel = holding();
  kernel.refusesAddresses = true;
  kernel.forget();
  assert.ok(!kernel.holdsAny("V1"));
  assert.equal(kernel.leaseUntil("V1"), Infinity);
  assert.ok(kernel.add("V1", 0, [vip]));
});
