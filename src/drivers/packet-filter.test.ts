import assert from "node:assert/strict";
import { test } from "node:test";
import { passes } from "../../test/kit/bpf.ts";
import { NO_NEWCOMERS } from "./packet-filter.ts";

/** A TCP header, or the beginning of one. */
function segment(flags: number, length = 20): Uint8Array {
  const header = new Uint8Array(length);
  if (length > 13) header[13] = flags;
  return header;
}

test("newcomers are refused, with ECN too; who is half way in comes in with his request", () => {
  const [syn, ack, push, reset, ecn] = [0x02, 0x10, 0x08, 0x04, 0xc0];
  for (const flags of [syn, syn | ecn]) assert.equal(passes(NO_NEWCOMERS, segment(flags)), false);
  for (const flags of [ack, ack | push, ack | ecn, reset, reset | ack]) {
    assert.equal(passes(NO_NEWCOMERS, segment(flags)), true);
  }
  assert.equal(passes(NO_NEWCOMERS, segment(ack, 12)), false);
});
