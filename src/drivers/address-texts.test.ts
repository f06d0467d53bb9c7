import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatIp } from "../lib/ip-address.ts";
import { AddressTexts } from "./address-texts.ts";

test("any sequence of addresses is told apart, colliding ones too", () => {
  const short = fc.uint8Array({ minLength: 4, maxLength: 4, max: 40 });
  const long = fc.uint8Array({ minLength: 16, maxLength: 16, max: 40 });
  const texts = new AddressTexts();
  fc.assert(
    fc.property(fc.array(fc.oneof(short, long), { maxLength: 50 }), (addresses) => {
      for (const bytes of addresses) {
        const packet = Uint8Array.of(7, ...bytes, 7);
        const length = bytes.length === 4 ? 4 : 16;
        assert.equal(texts.text(packet, 1, length), formatIp(bytes));
      }
    }),
  );
});

test("a known address gives the very same string, whatever buffer it comes in", () => {
  const texts = new AddressTexts();
  assert.equal(texts.text(Uint8Array.of(192, 0, 2, 1), 0, 4), "192.0.2.1");
  assert.equal(texts.text(Uint8Array.of(9, 192, 0, 2, 1), 1, 4), "192.0.2.1");
});
