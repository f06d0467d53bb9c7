import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { received } from "../../../test/kit/vrrp-segment.ts";
import { instance, unicast } from "../../../test/kit/vrrp-settings.ts";
import {
  bytes,
  hex,
  v2Pass,
  v3,
  v3HmacIpv6,
  v3Ipv6,
  v3Unicast,
  wireVectors,
} from "../../../test/kit/vrrp-vectors.ts";
import { parseIp } from "../../lib/ip-address.ts";
import { AdvertSender } from "./advert-sender.ts";
import { messageOf } from "./advert-check.ts";
import { foldChecksum, sumPseudoHeader, sumWords } from "./checksum.ts";
import {
  checksumHolds,
  decodeAdvert,
  emptyAdvert,
  encodeAdvert,
  setChecksum,
  setPriority,
} from "./packet.ts";
import type { ReceivedDatagram, RouterAction } from "./router-ports.ts";
import type { Family, InstanceSettings } from "./settings.ts";

/** What an instance sends first, as its receiver sees it. */
function sent(settings: InstanceSettings, source: string, priority: number): ReceivedDatagram {
  const sender = new AdvertSender(settings);
  const out: RouterAction[] = [];
  sender.setSource(source);
  assert(sender.send(priority, 0, out));
  const action = out[0];
  assert(action?.type === "send-datagram");
  return received(action);
}

function checks(datagram: ReceivedDatagram, group = "224.0.0.18"): boolean {
  const advert = emptyAdvert();
  const message = messageOf(datagram);
  assert.equal(decodeAdvert(message, datagram.family, advert), undefined);
  return checksumHolds(message, advert, {
    family: datagram.family,
    source: parseIp(datagram.source)!,
    destination: parseIp(datagram.destination)!,
    group: parseIp(group)!,
  });
}

function decode(text: string, family: Family = "ipv4"): string {
  return decodeAdvert(bytes(text), family, emptyAdvert()) ?? "accepted";
}

for (const vector of wireVectors) {
  test(`what another program sent is read: ${vector.name}`, () => {
    const advert = emptyAdvert();
    const message = messageOf(vector.datagram);
    assert.equal(decodeAdvert(message, vector.datagram.family, advert), undefined);
    const { vrid, priority, intervalMs } = advert;
    assert.deepEqual({ vrid, priority, intervalMs }, vector.says);
    assert.equal(advert.version, vector.settings.version);
    assert.equal(advert.addressCount, vector.settings.addresses.length);
    assert(checks(vector.datagram));
  });
}

for (const vector of [v2Pass, v3, v3Ipv6]) {
  test(`with the same settings the same bytes are sent as by keepalived: ${vector.name}`, () => {
    const { source, payload } = vector.datagram;
    const ours = sent(vector.settings, source, vector.says.priority);
    assert.equal(hex(ours.payload), hex(payload));
    const { destination, ttl } = ours;
    assert.deepEqual([destination, ttl], [vector.datagram.destination, 255]);
  });
}

test("with the same settings the same bytes are sent as by keepalived: unicast", () => {
  const transport = unicast([v3Unicast.datagram.destination]);
  const ours = sent({ ...v3Unicast.settings, transport }, v3Unicast.datagram.source, 150);
  assert.equal(hex(ours.payload), hex(v3Unicast.datagram.payload));
});

test("RFC 9568 5.2: a version 3 message is 8 bytes and 4 or 16 for each address", () => {
  const two = sent(instance({ vips: ["192.0.2.5", "192.0.2.6"] }), "192.0.2.1", 100);
  assert.equal(hex(two.payload.subarray(0, 6)), "313364020064");
  assert.equal(two.payload.length, 16);
  const vips = ["fe80::5", "2001:db8::6"];
  assert.equal(sent(instance({ family: "ipv6", vips }), "fe80::1", 100).payload.length, 40);
});

test("RFC 3768 5.3.10: version 2 carries 8 bytes of authentication data, also without any", () => {
  const { payload } = sent(instance({ version: 2 }), "192.0.2.1", 100);
  assert.equal(payload.length, 20);
  assert.equal(hex(payload.subarray(0, 6)), "213364010001");
  assert.equal(hex(payload.subarray(12)), "0000000000000000");
});

test("RFC 9568 5.2.6: the four reserved bits are sent as zero and not read", () => {
  const longest = sent(instance({ advertIntervalMs: 40_950 }), "192.0.2.1", 100);
  assert.equal(hex(longest.payload.subarray(4, 6)), "0fff");
  const advert = emptyAdvert();
  assert.equal(decodeAdvert(bytes("31336401ff640000c0000205"), "ipv4", advert), undefined);
  assert.equal(advert.intervalMs, 0xf64 * 10);
});

test("RFC 9568 7.1: a packet that is not complete is none", () => {
  assert.equal(decode(""), "too-short");
  assert.equal(decode("31336401006400"), "too-short");
  assert.equal(decode("3133640200640000c0000205"), "too-short");
  assert.equal(decode("2133640100010000c000020500000000000000"), "too-short");
  assert.equal(decode("3133640100640000c0000205", "ipv6"), "too-short");
});

test("RFC 9568 5.2.1, 5.2.2: other versions and other types are none", () => {
  assert.equal(decode("1133640100010000c00002050000000000000000"), "wrong-version");
  assert.equal(decode("4133640100640000c0000205"), "wrong-version");
  assert.equal(decode("3233640100640000c0000205"), "wrong-type");
  assert.equal(decode("3033640100640000c0000205"), "wrong-type");
});

test("RFC 3768 knows no IPv6", () => {
  assert.equal(decode(`2133640100010000${"00".repeat(24)}`, "ipv6"), "wrong-version");
});

test("RFC 9568 5.2.7 with erratum 8301: an interval of zero is none", () => {
  assert.equal(decode("3133640100000000c0000205"), "zero-interval");
  assert.equal(decode("31336401f0000000c0000205"), "zero-interval");
  assert.equal(decode("2133640100000000c00002050000000000000000"), "zero-interval");
});

test("RFC 9568 5.2.8: over IPv4 the checksum covers the message, and is believed", () => {
  const ours = sent(instance({ checksumWithPseudoHeader: false }), "192.0.2.1", 100);
  assert.equal(foldChecksum(sumWords(0, ours.payload, 0, ours.payload.length)), 0);
  assert(checks(ours));
  // Where it came from is no part of it.
  assert(checks({ ...ours, source: "192.0.2.77" }));
});

test("RFC 5798 5.2.8 as keepalived reads it: the pseudo header is covered, and is believed", () => {
  const ours = sent(instance(), "192.0.2.1", 100);
  assert(checks(ours));
  assert(!checks({ ...ours, source: "192.0.2.77" }));
});

test("the old unicast checksum of keepalived, over the multicast group, is believed", () => {
  const old = { ...sent(instance(), "192.0.2.1", 100), destination: "192.0.2.2" };
  assert(checks(old));
  assert(!checks(old, "224.0.0.19"));
});

test("RFC 3768 5.3.8: in version 2 the checksum never covers a pseudo header", () => {
  const ours = sent(instance({ version: 2 }), "192.0.2.1", 100);
  assert(checks({ ...ours, source: "203.0.113.9", destination: "203.0.113.10" }));
  const payload = ours.payload.slice();
  const pseudo = sumPseudoHeader(parseIp("192.0.2.1")!, parseIp("224.0.0.18")!, payload.length);
  setChecksum(payload, 0, payload.length, pseudo);
  assert(!checks({ ...ours, payload }));
});

test("RFC 9568 5.2.8: over IPv6 the checksum always covers the pseudo header", () => {
  const settings = instance({ family: "ipv6", checksumWithPseudoHeader: false });
  const ours = sent(settings, "fe80::1", 100);
  assert(checks(ours));
  assert(!checks({ ...ours, source: "fe80::2" }));
});

test("over IPv6 a checksum that leaves the trailer out is believed as well", () => {
  const { datagram } = v3HmacIpv6;
  const payload = datagram.payload.slice();
  const ends = [datagram.source, datagram.destination].map((address) => parseIp(address)!);
  setChecksum(payload, 0, 24, sumPseudoHeader(ends[0]!, ends[1]!, 24));
  assert.notEqual(hex(payload), hex(datagram.payload));
  assert(checks({ ...datagram, payload }));
});

test("RFC 1071: an odd last byte is a high one, and carries are added until none is left", () => {
  assert.equal(sumWords(0, Uint8Array.of(0x12, 0x34, 0x56), 0, 3), 0x1234 + 0x5600);
  assert.equal(foldChecksum(0x1ffff), 0xfffe);
  assert.equal(foldChecksum(0), 0xffff);
});

test("an advert that is written is read as the same, whatever it says", () => {
  const octets = (length: number): fc.Arbitrary<Uint8Array> =>
    fc.uint8Array({ minLength: length, maxLength: length });
  const anyAdvert = fc.record({
    version: fc.constantFrom(2 as const, 3 as const),
    ipv6: fc.boolean(),
    vrid: fc.integer({ min: 1, max: 255 }),
    priority: fc.integer({ min: 0, max: 255 }),
    units: fc.integer({ min: 1, max: 255 }),
    addresses: fc.array(octets(16), { minLength: 1, maxLength: 20 }),
    offset: fc.integer({ min: 0, max: 50 }),
  });
  fc.assert(
    fc.property(anyAdvert, ({ version, ipv6, vrid, priority, units, addresses, offset }) => {
      const family = ipv6 && version === 3 ? "ipv6" : "ipv4";
      const width = family === "ipv4" ? 4 : 16;
      // Not a clean buffer: whatever is not written would show.
      const out = new Uint8Array(500).fill(0xff);
      const fields = {
        version,
        vrid,
        family,
        intervalMs: units * (version === 2 ? 1000 : 10),
        authType: 0,
        password: new Uint8Array(0),
        addresses: addresses.map((a) => a.subarray(0, width)),
      } as const;
      const length = encodeAdvert(fields, out, offset);
      setPriority(out, offset, priority);
      setChecksum(out, offset, length, 0);
      if (version === 2) {
        assert.equal(hex(out.subarray(offset + length - 8, offset + length)), "00".repeat(8));
      }
      const advert = emptyAdvert();
      const message = out.subarray(offset, offset + length);
      assert.equal(decodeAdvert(message, family, advert), undefined);
      assert.deepEqual(
        [advert.version, advert.vrid, advert.priority, advert.intervalMs, advert.addressCount],
        [version, vrid, priority, fields.intervalMs, addresses.length],
      );
      assert.equal(advert.messageLength, length);
      assert.equal(foldChecksum(sumWords(0, message, 0, length)), 0);
    }),
  );
});

test("the checksum finds every flipped bit of every advert that was captured", () => {
  for (const { datagram } of wireVectors) {
    const advert = emptyAdvert();
    const length = messageOf(datagram).length;
    const headers = datagram.payload.length - length;
    assert.equal(decodeAdvert(messageOf(datagram), datagram.family, advert), undefined);
    for (let bit = headers * 8; bit < (headers + advert.messageLength) * 8; bit++) {
      const payload = datagram.payload.slice();
      payload[bit >> 3]! ^= 1 << (bit & 7);
      const mutant = { ...datagram, payload };
      if (decodeAdvert(messageOf(mutant), mutant.family, emptyAdvert()) !== undefined) continue;
      assert(!checks(mutant), `bit ${bit} of ${hex(datagram.payload)}`);
    }
  }
});
