import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { parseIp } from "../../lib/ip-address.ts";
import { arpClaim, arpProbe, gratuitousArp } from "./arp-frame.ts";
import { sumWords } from "./checksum.ts";
import { naClaim, neighbourQuestion, unsolicitedNa } from "./na-frame.ts";

const mac = Uint8Array.of(0, 0, 0x5e, 0, 1, 51);

test("a gratuitous ARP is a broadcast request for its own address", () => {
  const frame = gratuitousArp(mac, parseIp("192.0.2.9")!).toHex();
  assert.equal(
    frame,
    "ffffffffffff00005e0001330806" +
      "0001080006040001" +
      "00005e000133c0000209ffffffffffffc0000209",
  );
});

test("an unsolicited NA overrides, is not solicited, and its checksum is right", () => {
  const frame = unsolicitedNa(mac, parseIp("2001:db8::9")!, true);
  assert.equal(frame.length, 86);
  assert.equal(frame[58], 0xa0);
  const whole = sumWords(sumWords(0, frame, 22, 54) + 32 + 58, frame, 54, 86);
  assert.equal((whole & 0xffff) + (whole >>> 16), 0xffff);
});

test("what we announce is read back as a claim of that address by that MAC", () => {
  const rows = [
    [gratuitousArp(mac, parseIp("192.0.2.9")!), arpClaim, "192.0.2.9"],
    [unsolicitedNa(mac, parseIp("2001:db8::9")!, false), naClaim, "2001:db8::9"],
  ] as const;
  for (const [frame, claimOf, address] of rows) {
    const claim = claimOf(frame)!;
    const end = claim.addressOffset + claim.addressLength;
    assert.deepEqual(frame.slice(claim.addressOffset, end), parseIp(address));
    assert.deepEqual(frame.slice(claim.macOffset, claim.macOffset + 6), mac);
  }
});

test("a question who else has an address claims nothing", () => {
  const probe = arpProbe(mac, parseIp("192.0.2.9")!);
  assert.equal(
    probe.toHex(),
    "ffffffffffff00005e0001330806" +
      "0001080006040001" +
      "00005e00013300000000000000000000c0000209",
  );
  assert.equal(arpClaim(probe), undefined);
  const [source, address] = [parseIp("fe80::7")!, parseIp("2001:db8::a:b:9")!];
  const solicitation = neighbourQuestion(mac, source, address);
  assert.equal(solicitation.subarray(0, 6).toHex(), "3333ff0b0009");
  assert.deepEqual(solicitation.subarray(38, 54), parseIp("ff02::1:ff0b:9"));
  const whole = sumWords(sumWords(0, solicitation, 22, 54) + 32 + 58, solicitation, 54, 86);
  assert.equal((whole & 0xffff) + (whole >>> 16), 0xffff);
  assert.equal(naClaim(solicitation), undefined);
});

test("no bytes make the readers throw or point outside of the frame", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 128 }), (frame) => {
      for (const claim of [arpClaim(frame), naClaim(frame)]) {
        if (claim === undefined) continue;
        assert.ok(claim.addressOffset + claim.addressLength <= frame.length);
        assert.ok(claim.macOffset + 6 <= frame.length);
      }
    }),
  );
});
