import assert from "node:assert/strict";
import { test } from "node:test";
import { EINVAL, ENODEV, osFailure, type OsFailure } from "../drivers/ffi.ts";
import { restore } from "./perform.ts";

const ADDRESS = "192.0.2.200";

/** What the router is fed with, and the trouble that is told. */
function outcome(failure?: OsFailure): unknown[] {
  const all: unknown[] = [];
  restore("V1", ADDRESS, {
    kernel: { restore: () => failure },
    feed: (input) => all.push(input),
    trouble: (instance, reason) => all.push([instance, reason]),
  });
  return all;
}

test("an address that somebody removed is told as put back only when it is there", () => {
  assert.deepEqual(outcome(), [{ type: "address-restored", instance: "V1", address: ADDRESS }]);
  const refused = osFailure(`add address ${ADDRESS}/32 on eth0`, -EINVAL);
  const reason = refused.message;
  assert.deepEqual(outcome(refused), [{ type: "acquire-failed", instance: "V1", reason }]);
});

test("an interface that went with its addresses is no refusal: it is a fault, told by itself", () => {
  const gone = osFailure(`add address ${ADDRESS}/32 on eth0`, -ENODEV);
  assert.deepEqual(outcome(gone), [["V1", gone.message]]);
});
