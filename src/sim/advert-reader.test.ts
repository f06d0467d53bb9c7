import assert from "node:assert/strict";
import { test } from "node:test";
import { fixChecksum, readAdvert } from "./advert-reader.ts";
import type { DatagramFrame } from "./network.ts";

function frame(bytes: readonly number[], more: Partial<DatagramFrame> = {}): DatagramFrame {
  return {
    kind: "datagram",
    family: "ipv4",
    protocol: 112,
    source: "10.0.0.1",
    destination: "224.0.0.18",
    ttl: 255,
    payload: Uint8Array.from(bytes),
    ...more,
  };
}

/** Version 3, VRID 51, priority 100, one address 10.0.0.200, every second. */
const v3 = [0x31, 51, 100, 1, 0, 100, 0, 0, 10, 0, 0, 200];

test("a version 3 advert is read with either form of its checksum", () => {
  const full = frame(v3);
  fixChecksum(full);
  assert.deepEqual(readAdvert(full), {
    version: 3,
    vrid: 51,
    priority: 100,
    intervalMs: 1000,
    addressCount: 1,
    sound: true,
  });
  // 0x3133 + 0x6401 + 0x0064 + 0x0a00 + 0x00c8 = 0xa060, its complement is 0x5f9f.
  assert.equal(readAdvert(frame(v3.with(6, 0x5f).with(7, 0x9f)))?.sound, true);
});

test("any flipped bit makes an advert unsound or another advert", () => {
  const good = frame(v3);
  fixChecksum(good);
  for (let bit = 0; bit < good.payload.length * 8; bit++) {
    const payload = good.payload.slice();
    payload[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(readAdvert({ ...good, payload })?.sound, false, `bit ${bit}`);
  }
});

test("a routed, cut, empty or intervalless advert is unsound", () => {
  const good = frame(v3);
  fixChecksum(good);
  assert.equal(readAdvert({ ...good, ttl: 254 })?.sound, false);
  assert.equal(readAdvert({ ...good, payload: good.payload.subarray(0, 11) })?.sound, false);
  assert.equal(readAdvert({ ...good, payload: good.payload.subarray(0, 7) }), undefined);
  for (const [at, value] of [
    [3, 0],
    [5, 0],
  ] as const) {
    const altered = frame(v3.with(at, value));
    fixChecksum(altered);
    assert.equal(readAdvert(altered)?.sound, false);
  }
});

test("a version 2 advert carries whole seconds and eight bytes of authentication", () => {
  const altered = frame([
    0x21, 51, 100, 1, 1, 2, 0, 0, 10, 0, 0, 200, 115, 105, 109, 0, 0, 0, 0, 0,
  ]);
  let sum = 0;
  for (let i = 0; i < altered.payload.length; i += 2) {
    sum += (altered.payload[i]! << 8) | altered.payload[i + 1]!;
  }
  sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
  altered.payload.set([sum >> 8, sum & 0xff], 6);
  assert.equal(readAdvert(altered)?.intervalMs, 2000);
  assert.equal(readAdvert(altered)?.sound, true);
});
