import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatIp } from "../lib/ip-address.ts";
import { internetSockaddr, readSockaddr } from "./stream-address.ts";

test("an address reads back as it was written, however many others came before", () => {
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    // Few that differ, so that they meet in one place.
    fc.tuple(fc.constantFrom(4, 16), fc.nat({ max: 3 })).map(([length, last]) => {
      const bytes = new Uint8Array(length);
      bytes[0] = 32;
      bytes[length - 1] = last;
      return bytes;
    }),
  );
  const port = fc.integer({ min: 1, max: 65_535 });
  fc.assert(
    fc.property(fc.array(fc.tuple(octets, port), { maxLength: 200 }), (all) => {
      for (const [bytes, ownPort] of [...all, ...all]) {
        const address = formatIp(bytes);
        const read = readSockaddr(internetSockaddr(address, ownPort)!);
        assert.deepEqual(read, { address, port: ownPort });
      }
    }),
  );
});

test("an IPv4 client of an IPv6 socket is shown as IPv4", () => {
  const bytes = internetSockaddr("::ffff:192.0.2.7", 80)!;
  assert.deepEqual(readSockaddr(bytes), { address: "192.0.2.7", port: 80 });
});
