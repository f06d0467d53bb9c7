import assert from "node:assert/strict";
import { test } from "node:test";
import { isOsFailure } from "./ffi.ts";
import { LinkBeat } from "./link-beat.ts";

test("lo has a link by every method, as those that it does not know give way to the next", () => {
  const beat = LinkBeat.open();
  assert.ok(beat instanceof LinkBeat);
  for (const method of ["mii", "ethtool", "ioctl"] as const) {
    assert.equal(beat.hasLink("lo", method), true, method);
  }
  const nobody = beat.hasLink("nowhere0", "mii");
  assert.ok(typeof nobody === "object" && isOsFailure(nobody));
  assert.match(nobody.message, /^ask for the link of nowhere0 by ioctl: ENODEV/u);
  beat.close();
});
