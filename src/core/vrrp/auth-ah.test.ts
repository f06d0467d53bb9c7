import assert from "node:assert/strict";
import { test } from "node:test";
import { hmac } from "@noble/hashes/hmac.js";
import { md5 } from "@noble/hashes/legacy.js";
import { received } from "../../../test/kit/vrrp-segment.ts";
import { unicast } from "../../../test/kit/vrrp-settings.ts";
import { AH_WALL_MS, bytes, hex, v2Ah, v2AhUnicast } from "../../../test/kit/vrrp-vectors.ts";
import { AdvertSender, ascii } from "./advert-sender.ts";
import { AhAuthenticator } from "./auth-ah.ts";
import type { ReceivedDatagram, RouterAction } from "./router-ports.ts";
import type { InstanceSettings } from "./settings.ts";

const PASSWORD = "s3cr3t12";
const SILENCE = 3000;
const NOW = AH_WALL_MS;
const TICK = 250;

/** keepalived's second advert of the same instance, a second later. */
const second: ReceivedDatagram = {
  ...v2Ah.datagram,
  ipHeader: bytes("45c0004000020000ff3318b5c0000201e0000012"),
  payload: bytes(
    "70040000c000020100000002 7b72d51abbae9e2acb692fcc 210c960102018425 c00002cb 0000000000000000",
  ),
};
/** Its last one. */
const ninth: ReceivedDatagram = {
  ...v2Ah.datagram,
  ipHeader: bytes("45c0004000090000ff3318aec0000201e0000012"),
  payload: bytes(
    "70040000c000020100000009 a086cebfe7669982c8b91c57 210c000102011a26 c00002cb 0000000000000000",
  ),
};

function receiver(password = PASSWORD, isUnicast = false): AhAuthenticator {
  return new AhAuthenticator({
    password: ascii(password),
    unicast: isUnicast,
    forgetAfterMs: SILENCE,
  });
}

function verdict(by: AhAuthenticator, datagram: ReceivedDatagram, wallMs = NOW): string {
  const from = { address: datagram.source, wallMs };
  return by.verify(datagram.ipHeader!, datagram.payload, from) ?? "accepted";
}

function changedHeader(datagram: ReceivedDatagram, at: number, value: number): ReceivedDatagram {
  const ipHeader = datagram.ipHeader!.slice();
  assert.notEqual(ipHeader[at], value);
  ipHeader[at] = value;
  return { ...datagram, ipHeader };
}

/** Sends with these settings; the clock of every advert is told. */
function sender(settings: InstanceSettings): (wallMs: number) => ReceivedDatagram {
  const by = new AdvertSender(settings);
  by.setSource("192.0.2.1");
  return (wallMs) => {
    const out: RouterAction[] = [];
    assert(by.send(150, wallMs, out));
    const action = out[0];
    assert(action?.type === "send-datagram" && action.headerIncluded);
    return received(action);
  };
}

function sequenceOf({ payload }: ReceivedDatagram): string {
  return hex(payload.subarray(8, 12));
}

test("captured adverts of keepalived are authentic, one after the other", () => {
  const by = receiver();
  assert.equal(verdict(by, v2Ah.datagram), "accepted");
  assert.equal(verdict(by, second, NOW + 1000), "accepted");
  assert.equal(verdict(by, ninth, NOW + 8000), "accepted");
  assert.equal(verdict(receiver(PASSWORD, true), v2AhUnicast.datagram), "accepted");
});

test("with the same settings the same packet is signed as by keepalived", () => {
  const unicastSettings = { ...v2AhUnicast.settings, transport: unicast(["192.0.2.2"]) };
  for (const [settings, theirs] of [
    [v2Ah.settings, v2Ah.datagram],
    [unicastSettings, v2AhUnicast.datagram],
  ] as const) {
    const ours = sender(settings)(NOW);
    assert.equal(hex(ours.payload), hex(theirs.payload));
    // The kernel fills in the header's checksum.
    const header = theirs.ipHeader!.slice().fill(0, 10, 12);
    assert.equal(hex(ours.ipHeader!), hex(header));
  }
});

test("every flipped bit of header, sequence, digest and message is found", () => {
  const { payload } = v2Ah.datagram;
  for (let bit = 0; bit < payload.length * 8; bit++) {
    const copy = payload.slice();
    copy[bit >> 3]! ^= 1 << (bit & 7);
    const said = verdict(receiver(), { ...v2Ah.datagram, payload: copy });
    assert.equal(said, bit < 16 ? "ah-malformed" : "ah-digest", `bit ${bit}`);
  }
});

test("RFC 2402 3.3.3.1.1.1: what routers change in the IP header is not signed", () => {
  const changes = [
    [1, 0x10],
    [6, 0x40],
    [7, 0x01],
    [10, 0xff],
    [11, 0xff],
  ] as const;
  for (const [at, value] of changes) {
    assert.equal(verdict(receiver(), changedHeader(v2Ah.datagram, at, value)), "accepted");
  }
});

test("RFC 2402 3.3.3.1.1.1: what they must leave alone is signed", () => {
  for (const at of [2, 3, 4, 5, 9, 12, 15, 16, 19]) {
    assert.equal(verdict(receiver(), changedHeader(v2Ah.datagram, at, 0x77)), "ah-digest");
  }
});

test("the TTL is signed in a multicast, which nobody forwards, and not in a unicast", () => {
  assert.equal(verdict(receiver(), changedHeader(v2Ah.datagram, 8, 254)), "ah-digest");
  const forwarded = changedHeader(v2AhUnicast.datagram, 8, 254);
  assert.equal(verdict(receiver(PASSWORD, true), forwarded), "accepted");
});

test("another password, also one that is longer or shorter, does not fit", () => {
  for (const password of ["s3cr3t13", "s3cr3t1", ""]) {
    assert.equal(verdict(receiver(password), v2Ah.datagram), "ah-digest");
  }
  // Eight bytes are all that count.
  assert.equal(verdict(receiver(`${PASSWORD}9`), v2Ah.datagram), "accepted");
});

test("an index (SPI) that is not the source address is malformed, even under a right digest", () => {
  const { ipHeader, payload } = v2Ah.datagram;
  const packet = Uint8Array.of(...ipHeader!, ...payload);
  packet[24 + 3]! ^= 1;
  packet.fill(0, 32, 44);
  const signed = packet.slice();
  for (const mutable of [1, 6, 7, 10, 11]) signed[mutable] = 0;
  packet.set(hmac(md5, ascii(PASSWORD), signed).subarray(0, 12), 32);
  const datagram = { ...v2Ah.datagram, payload: packet.subarray(20) };
  assert.equal(verdict(receiver(), datagram), "ah-malformed");
});

test("a payload that ends within the header is malformed", () => {
  for (let length = 0; length < 24; length++) {
    const payload = v2Ah.datagram.payload.subarray(0, length);
    assert.equal(verdict(receiver(), { ...v2Ah.datagram, payload }), "ah-malformed");
  }
  const payload = v2Ah.datagram.payload.subarray(0, 24);
  assert.equal(verdict(receiver(), { ...v2Ah.datagram, payload }), "ah-digest");
});

test("a copy and an older advert are replays while their sender is heard", () => {
  const by = receiver();
  assert.equal(verdict(by, second), "accepted");
  assert.equal(verdict(by, second, NOW + SILENCE - 1), "ah-replay");
  assert.equal(verdict(by, ninth, NOW + SILENCE - 1), "accepted");
  assert.equal(verdict(by, second, NOW + SILENCE), "ah-replay");
});

test("keepalived starts again at 1, and is believed; so is any number after a silence", () => {
  const by = receiver();
  assert.equal(verdict(by, ninth), "accepted");
  assert.equal(verdict(by, v2Ah.datagram, NOW + 10), "accepted");
  assert.equal(verdict(by, ninth, NOW + 20), "accepted");
  assert.equal(verdict(by, second, NOW + 20 + SILENCE), "accepted");
});

test("a forged advert does not move what is remembered of its sender", () => {
  const by = receiver();
  const forged = ninth.payload.slice();
  forged[30]! ^= 1;
  assert.equal(verdict(by, { ...ninth, payload: forged }), "ah-digest");
  assert.equal(verdict(by, second), "accepted");
});

test("the numbers we send follow the clock, so that they grow over a restart", () => {
  const send = sender(v2Ah.settings);
  const numbers = [0, 0, TICK, 1000, 500].map((after) => sequenceOf(send(NOW + after)));
  assert.deepEqual(numbers, ["00000001", "00000002", "00000003", "00000004", "00000005"]);
  const year = 365 * 86_400_000;
  const restarted = sender(v2Ah.settings)(NOW + year);
  assert.equal(sequenceOf(restarted), (year / TICK).toString(16).padStart(8, "0"));
});

test("the numbers we sent and heard go on over a reload", () => {
  const before = new AdvertSender(v2Ah.settings);
  assert.equal(verdict(before.ah!, ninth), "accepted");
  before.setSource("192.0.2.1");
  before.send(150, NOW + 5000, []);
  const after = new AdvertSender(v2Ah.settings, before);
  after.setSource("192.0.2.1");
  assert.equal(verdict(after.ah!, second), "ah-replay");
  const out: RouterAction[] = [];
  after.send(150, NOW, out);
  assert(out[0]?.type === "send-datagram");
  assert.equal(sequenceOf(received(out[0])), "00000015");
});

test("a new master goes on from the number of the old one: keepalived drops what is below it", () => {
  const before = sender(v2Ah.settings);
  const next = new AdvertSender(v2Ah.settings);
  const heard = before(NOW + 100_000);
  assert.equal(verdict(next.ah!, heard), "accepted");
  next.setSource("192.0.2.2");
  const out: RouterAction[] = [];
  next.send(100, NOW, out);
  assert(out[0]?.type === "send-datagram");
  assert.ok(sequenceOf(received(out[0])) > sequenceOf(heard));
});

test("the IP id of our adverts counts around and is never zero", () => {
  const send = sender(v2Ah.settings);
  const ids = new Set<string>();
  for (let i = 0; i <= 0xffff; i++) ids.add(hex(send(NOW).ipHeader!.subarray(4, 6)));
  assert.equal(ids.size, 0xffff);
  assert(!ids.has("0000"));
});
