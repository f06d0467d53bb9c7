import assert from "node:assert/strict";
import { test } from "node:test";
import { VridEars } from "./vrid-ears.ts";

test("each number is heard on its own socket only, strangers' on all", () => {
  const ears = new VridEars<string>();
  ears.set(51, "vrrp.51");
  ears.set(51, "vrrp.51");
  assert.deepEqual([ears.hears(51, "vrrp.51"), ears.hears(51, "eth0")], [true, false]);
  assert.equal(ears.hears(52, "eth0"), true);
  assert.equal(ears.hears(undefined, "eth0"), true);
});

test("two instances of one number, by multicast on a virtual MAC and by unicast, are both heard", () => {
  const ears = new VridEars<string>();
  for (const socket of ["eth0", "vrrp.51", "vrrp.51"]) ears.set(51, socket);
  assert.deepEqual([ears.hears(51, "eth0"), ears.hears(51, "vrrp.51")], [true, true]);
  ears.clear();
  ears.set(51, "eth0");
  assert.equal(ears.hears(51, "vrrp.51"), false);
});

test("a socket that is gone makes no number deaf", () => {
  const ears = new VridEars<string>();
  ears.set(51, "vrrp.51");
  ears.forget("vrrp.51");
  assert.equal(ears.hears(51, "eth0"), true);
});
