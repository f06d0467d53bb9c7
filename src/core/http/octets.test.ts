import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { endOfValue, FIELD_VALUE, isName, isText } from "./octets.ts";

const LETTER_A = 97;

test("a value ends at the first octet that may not stand in it, wherever that is", () => {
  const room = 11;
  for (let octet = 0; octet < 256; octet++) {
    for (let at = 0; at < room; at++) {
      for (let from = 0; from <= at; from++) {
        const bytes = new Uint8Array(room).fill(LETTER_A);
        bytes[at] = octet;
        const wanted = FIELD_VALUE[octet] === 1 ? room : at;
        const found = endOfValue(bytes, new DataView(bytes.buffer), from, room);
        assert.equal(found, wanted, `octet ${octet} at ${at}, from ${from}`);
      }
    }
  }
});

test("looking at four octets together finds what looking at each finds", () => {
  const octet = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 30, max: 34 }));
  fc.assert(
    fc.property(fc.array(octet, { maxLength: 40 }), fc.nat(8), fc.nat(40), (octets, lead, end) => {
      // Not at the beginning of its memory, as a slice of a larger read.
      const bytes = Uint8Array.from([...new Uint8Array(lead), ...octets]).subarray(lead);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const to = Math.min(end, bytes.length);
      const first = bytes.subarray(0, to).findIndex((one) => FIELD_VALUE[one] !== 1);
      assert.equal(endOfValue(bytes, view, 0, to), first < 0 ? to : first);
    }),
  );
});

test("a name is recognised by its octets as it is by its text", () => {
  const name = "x-bench";
  const octets = Uint8Array.from(name, (letter) => letter.charCodeAt(0));
  for (const said of ["X-Bench", "x-bench", "x-benc", "x-benchs", "x_bench"]) {
    const bytes = Uint8Array.from(said, (letter) => letter.charCodeAt(0));
    const wanted = isText(bytes, 0, bytes.length, name);
    assert.equal(isName(bytes, 0, bytes.length, octets), wanted, said);
  }
});
