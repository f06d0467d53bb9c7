import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { latin1Text, utf8Bytes, utf8Length, writeAscii, writeDecimal } from "./text-bytes.ts";

test("utf8Bytes says what the platform's encoder says, lone surrogates included", () => {
  // Few surrogates of each half, so that pairs and lone ones both come up.
  const codeUnit = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0xd83d, 0xdca9));
  const anyText = fc.array(codeUnit).map((units) => String.fromCharCode(...units));
  fc.assert(
    fc.property(anyText, (text) => {
      assert.deepEqual(utf8Bytes(text), new Uint8Array(new TextEncoder().encode(text)));
    }),
  );
});

test("writeDecimal writes what String says", () => {
  const out = new Uint8Array(20);
  fc.assert(
    fc.property(fc.oneof(fc.nat(1200), fc.maxSafeNat()), (value) => {
      const end = writeDecimal(out, 2, value);
      assert.equal(latin1Text(out, 2, end), String(value));
    }),
  );
});

test("latin1Text keeps every byte, in texts of any length", () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i & 0xff);
  const text = latin1Text(bytes, 3, 9_999);
  assert.equal(text.length, 9_996);
  for (let i = 0; i < text.length; i++) assert.equal(text.charCodeAt(i), bytes[i + 3]);
});

test("writeAscii gives the position after the text", () => {
  const out = new Uint8Array(8);
  assert.equal(writeAscii(out, 1, "HTTP"), 5);
  assert.equal(latin1Text(out, 1, 5), "HTTP");
});

test("utf8Length knows every letter beyond ASCII and C1, and nothing that the platform refuses", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const isWell = (bytes: Uint8Array): boolean => {
    try {
      return decoder.decode(bytes).length > 0;
    } catch {
      return false;
    }
  };
  for (let code = 0x80; code <= 0x10ffff; code += code < 0x3000 ? 1 : 97) {
    const bytes = utf8Bytes(String.fromCodePoint(code));
    assert.equal(utf8Length(bytes, 0, bytes.length), code < 0xa0 ? 0 : bytes.length);
    assert.equal(utf8Length(bytes, 0, bytes.length - 1), 0);
  }
  for (let first = 0x80; first < 0x100; first++) {
    for (let second = 0; second < 0x100; second++) {
      for (const rest of [[], [0x80], [0xbf], [0x80, 0x80], [0xbf, 0xbf]]) {
        const bytes = Uint8Array.of(first, second, ...rest);
        const length = utf8Length(bytes, 0, bytes.length);
        if (length > 0) assert.ok(isWell(bytes.subarray(0, length)), bytes.join(" "));
      }
    }
  }
});
