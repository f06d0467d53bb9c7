/** keepalived 2.4's `auth_hmac`: the published vectors, its table of verdicts, and time. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Listener } from "../../../test/kit/vrrp-listener.ts";
import { received } from "../../../test/kit/vrrp-segment.ts";
import { hmac, instance, unicast } from "../../../test/kit/vrrp-settings.ts";
import { HMAC_WALL_MS, hex, v3Hmac, v3HmacIpv6 } from "../../../test/kit/vrrp-vectors.ts";
import { parseIp } from "../../lib/ip-address.ts";
import { AdvertSender } from "./advert-sender.ts";
import { foldChecksum, sumPseudoHeader, sumWords } from "./checksum.ts";
import type { ReceivedDatagram, RouterAction } from "./router-ports.ts";
import type { InstanceSettings } from "./settings.ts";

const MESSAGE_LENGTH = 12;
const WINDOW_MS = 30_000;
const published = v3Hmac.datagram;

function listener(settings: InstanceSettings = v3Hmac.settings, wallMs = HMAC_WALL_MS): Listener {
  return new Listener(settings, wallMs);
}

function withMode(draft: Parameters<typeof hmac>[0]): InstanceSettings {
  return { ...v3Hmac.settings, authentication: hmac(draft) };
}

/** A sender with the published source; every call is its next advert. */
function speaker(settings: InstanceSettings): (wallMs: number) => ReceivedDatagram {
  const sender = new AdvertSender(settings);
  sender.setSource(published.source);
  return (wallMs) => {
    const out: RouterAction[] = [];
    sender.send(200, wallMs, out);
    assert(out[0]?.type === "send-datagram");
    return received(out[0]);
  };
}

/** Bytes written over; the message keeps a right checksum, as a forger would see to it. */
function forged(at: Readonly<Record<number, number>>, source = published.source): ReceivedDatagram {
  const payload = published.payload.slice();
  for (const [index, value] of Object.entries(at)) payload[Number(index)] = value;
  payload.fill(0, 6, 8);
  const pseudo = sumPseudoHeader(parseIp(source)!, parseIp(published.destination)!, MESSAGE_LENGTH);
  const checksum = foldChecksum(sumWords(pseudo, payload, 0, MESSAGE_LENGTH));
  payload[6] = checksum >> 8;
  payload[7] = checksum & 0xff;
  return { ...published, source, payload };
}

test("our trailers are the published ones; an IPv6 checksum covers the trailer too", () => {
  // The published IPv4 message is summed as RFC 9568 has it, without a pseudo header.
  const settings = { ...v3Hmac.settings, checksumWithPseudoHeader: false };
  assert.equal(hex(speaker(settings)(HMAC_WALL_MS).payload), hex(published.payload));
  const { datagram } = v3HmacIpv6;
  const peers = unicast([datagram.destination]);
  const sender = new AdvertSender({ ...v3HmacIpv6.settings, transport: peers });
  const out: RouterAction[] = [];
  sender.setSource(datagram.source);
  sender.send(200, HMAC_WALL_MS, out);
  assert(out[0]?.type === "send-datagram");
  assert.equal(hex(received(out[0]).payload), hex(datagram.payload));
});

test("the published adverts are believed", () => {
  for (const { settings, datagram } of [v3Hmac, v3HmacIpv6]) {
    assert.equal(listener(settings).hear(datagram), undefined);
  }
});

test("one byte xored with 1 has the published verdict", () => {
  const rows: readonly (readonly [string, number, string])[] = [
    ["priority", 2, "hmac-digest"],
    ["interval", 5, "hmac-digest"],
    ["address", 11, "hmac-digest"],
    ["extension type", 12, "hmac-malformed"],
    ["key id", 13, "hmac-unknown-key"],
    ["reserved", 14, "hmac-malformed"],
    ["reserved", 15, "hmac-malformed"],
    ["seconds", 19, "hmac-digest"],
    ["counter", 23, "hmac-digest"],
    ["first of the digest", 24, "hmac-digest"],
    ["last of the digest", 39, "hmac-digest"],
  ];
  for (const [what, at, verdict] of rows) {
    assert.equal(listener().hear(forged({ [at]: published.payload[at]! ^ 1 })), verdict, what);
  }
});

test("the digest leaves the checksum out: either form of it is believed", () => {
  const other = forged({});
  assert.notDeepEqual(other.payload, published.payload);
  assert.equal(listener().hear(other), undefined);
});

test("a wrong checksum is one even under a right digest", () => {
  const payload = published.payload.slice();
  payload[7]! ^= 1;
  assert.equal(listener().hear({ ...published, payload }), "wrong-checksum");
});

test("the advert of one source or VRID does not pass for another's", () => {
  assert.equal(listener().hear(forged({}, "198.51.100.11")), "hmac-digest");
  assert.equal(listener({ ...v3Hmac.settings, vrid: 52 }).hear(forged({ 1: 52 })), "hmac-digest");
});

test("a copy is a replay for its receiver, and news for a second one", () => {
  const first = listener();
  assert.equal(first.hear(published), undefined);
  assert.equal(first.hear(published), "hmac-replay");
  assert.equal(listener().hear(published), undefined);
});

test("a copy of an older advert is a replay as well", () => {
  const ours = listener();
  const speak = speaker(v3Hmac.settings);
  const old = speak(HMAC_WALL_MS);
  assert.equal(ours.hear(speak(HMAC_WALL_MS + 1000)), undefined);
  assert.equal(ours.hear(old), "hmac-replay");
});

test("receive-only appends nothing and still checks what comes", () => {
  const settings = withMode({ mode: "receive-only" });
  assert.equal(speaker(settings)(HMAC_WALL_MS).payload.length, MESSAGE_LENGTH);
  assert.equal(listener(settings).hear(published), undefined);
  assert.equal(listener(settings).hear(forged({ 39: 0 })), "hmac-digest");
});

test("an advert without a trailer is believed unless trailers are enforced", () => {
  const bare = { ...published, payload: published.payload.slice(0, MESSAGE_LENGTH) };
  for (const mode of ["receive-only", "permissive", "enforce"] as const) {
    const verdict = listener(withMode({ mode })).hear(bare);
    assert.equal(verdict, mode === "enforce" ? "hmac-missing" : undefined, mode);
  }
});

test("half a trailer is malformed, and so is one and a byte", () => {
  for (const length of [13, 26, 39]) {
    const half = { ...published, payload: published.payload.slice(0, length) };
    assert.equal(listener().hear(half), "hmac-malformed");
  }
  const long = { ...published, payload: Uint8Array.of(...published.payload, 0) };
  assert.equal(listener().hear(long), "hmac-malformed");
});

test("what comes from further than the window away in time is stale, past and future", () => {
  for (const off of [-WINDOW_MS - 1000, WINDOW_MS + 1000]) {
    assert.equal(listener(v3Hmac.settings, HMAC_WALL_MS + off).hear(published), "hmac-stale");
  }
  for (const off of [-WINDOW_MS, 0, WINDOW_MS]) {
    assert.equal(listener(v3Hmac.settings, HMAC_WALL_MS + off).hear(published), undefined);
  }
});

test("without anti_replay the clocks do not matter, and a copy still does", () => {
  const ours = listener(withMode({ antiReplay: false }), 0);
  assert.equal(ours.hear(published), undefined);
  assert.equal(ours.hear(published), "hmac-replay");
});

test("sequence numbers grow while the clock stands still or goes back a little", () => {
  const ours = listener();
  const speak = speaker(v3Hmac.settings);
  for (const off of [0, 0, -5, -1000, 1, 1]) {
    assert.equal(ours.hear(speak(HMAC_WALL_MS + off)), undefined);
  }
});

test("a sender whose clock was set back by more than the window starts again from the clock", () => {
  const speak = speaker(v3Hmac.settings);
  const ahead = HMAC_WALL_MS + 10 * WINDOW_MS;
  const wrong = speak(ahead);
  assert.equal(listener().hear(wrong), "hmac-stale");
  assert.equal(listener().hear(speak(HMAC_WALL_MS)), undefined);
});

test("a receiver forgets a mark outside of the window, so that a clock set right is heard", () => {
  const ours = listener();
  const speak = speaker(v3Hmac.settings);
  ours.wallMs = HMAC_WALL_MS + 10 * WINDOW_MS;
  assert.equal(ours.hear(speak(ours.wallMs)), undefined);
  ours.wallMs = HMAC_WALL_MS;
  assert.equal(ours.hear(speak(ours.wallMs)), undefined);
});

test("without anti_replay a mark stays, whatever the clock says", () => {
  const settings = withMode({ antiReplay: false });
  const ours = listener(settings);
  assert.equal(ours.hear(speaker(settings)(HMAC_WALL_MS + 10 * WINDOW_MS)), undefined);
  assert.equal(ours.hear(speaker(settings)(HMAC_WALL_MS)), "hmac-replay");
});

test("an advert that is not authentic moves no mark", () => {
  const ours = listener();
  const speak = speaker(v3Hmac.settings);
  const next = speak(HMAC_WALL_MS);
  const later = speak(HMAC_WALL_MS + 5000);
  later.payload[39]! ^= 1;
  assert.equal(ours.hear(later), "hmac-digest");
  assert.equal(ours.hear(next), undefined);
});

test("every peer of a unicast instance gets the same trailer", () => {
  const peers = ["192.0.2.2", "192.0.2.3"];
  const sender = new AdvertSender(instance({ authentication: hmac(), transport: unicast(peers) }));
  const out: RouterAction[] = [];
  sender.setSource("192.0.2.1");
  sender.send(100, HMAC_WALL_MS, out);
  const trailers = out.map((a) => a.type === "send-datagram" && hex(received(a).payload.slice(12)));
  assert.equal(trailers.length, 2);
  assert.equal(trailers[0], trailers[1]);
});

test("a wrong trailer is refused in every mode", () => {
  for (const mode of ["enforce", "permissive", "receive-only"] as const) {
    assert.equal(listener(withMode({ mode })).hear(forged({ 39: 0 })), "hmac-digest");
  }
});

test("keys are rotated without a gap: every node knows both before one signs with the new", () => {
  const keys = [...hmac().keys, { id: 7, secret: new Uint8Array(64).fill(0xa5) }];
  const renewed = speaker(withMode({ keys, activeKeyId: 7 }))(HMAC_WALL_MS + 1000);
  const ours = listener(withMode({ keys }));
  assert.equal(ours.hear(published), undefined);
  assert.equal(ours.hear(renewed), undefined);
  assert.equal(listener().hear(renewed), "hmac-unknown-key");
  const sameId = withMode({ keys: [{ id: 1, secret: new Uint8Array(32).fill(1) }] });
  assert.equal(listener(sameId).hear(published), "hmac-digest");
});

test("over a change of keys the sequence sent and the marks of what was heard go on", () => {
  const { payload, source } = published;
  const from = { address: source, bytes: parseIp(source)!, wallMs: HMAC_WALL_MS };
  const before = new AdvertSender(v3Hmac.settings);
  before.setSource(source);
  before.send(200, HMAC_WALL_MS + 10_000, []);
  assert.equal(before.hmac!.verify(payload, MESSAGE_LENGTH, from), undefined);
  const keys = [...hmac().keys, { id: 7, secret: new Uint8Array(64) }];
  const after = new AdvertSender(withMode({ keys }), before);
  assert.equal(after.hmac!.verify(payload, MESSAGE_LENGTH, from), "hmac-replay");
  const out: RouterAction[] = [];
  after.setSource(source);
  after.send(200, HMAC_WALL_MS, out);
  assert(out[0]?.type === "send-datagram");
  assert.equal(hex(received(out[0]).payload.slice(16, 24)), "6800000a80000001");
});

test("a ninth sender takes the place of the one heard first; the others are still guarded", () => {
  const ours = listener();
  const adverts = Array.from({ length: 9 }, (_, i) => {
    const sender = new AdvertSender(v3Hmac.settings);
    const out: RouterAction[] = [];
    sender.setSource(`198.51.100.${i + 1}`);
    sender.send(200, HMAC_WALL_MS, out);
    assert(out[0]?.type === "send-datagram");
    return received(out[0]);
  });
  for (const advert of adverts) assert.equal(ours.hear(advert), undefined);
  for (const advert of adverts.slice(1)) assert.equal(ours.hear(advert), "hmac-replay");
  // The first one comes in again for the second: those that go on speaking are not forgotten.
  assert.equal(ours.hear(adverts[0]!), undefined);
  for (const advert of adverts.slice(2)) assert.equal(ours.hear(advert), "hmac-replay");
  assert.equal(ours.hear(adverts[1]!), undefined);
});

test("who spoke last is remembered longest, however early it was heard first", () => {
  const ours = listener();
  const speakers = Array.from({ length: 9 }, (_, i) => {
    const sender = new AdvertSender(v3Hmac.settings);
    sender.setSource(`198.51.100.${i + 1}`);
    return (): ReceivedDatagram => {
      const out: RouterAction[] = [];
      sender.send(200, HMAC_WALL_MS, out);
      assert(out[0]?.type === "send-datagram");
      return received(out[0]);
    };
  });
  const adverts = speakers.slice(0, 8).map((speak) => speak());
  for (const advert of adverts) assert.equal(ours.hear(advert), undefined);
  // One that is remembered already takes nobody's place.
  assert.equal(ours.hear(speakers[1]!()), undefined);
  assert.equal(ours.hear(adverts[0]!), "hmac-replay");
  const again = speakers[0]!();
  assert.equal(ours.hear(again), undefined);
  assert.equal(ours.hear(speakers[8]!()), undefined);
  assert.equal(ours.hear(again), "hmac-replay");
});

test("without anti_replay a sender never goes back, whatever its clock does", () => {
  const settings = withMode({ antiReplay: false });
  const ours = listener(settings);
  const speak = speaker(settings);
  assert.equal(ours.hear(speak(HMAC_WALL_MS + 10 * WINDOW_MS)), undefined);
  assert.equal(ours.hear(speak(HMAC_WALL_MS)), undefined);
});

test("the counter runs over into the seconds", () => {
  const speak = speaker(v3Hmac.settings);
  const standing = 0x68000000 * 1000 + 999.99;
  assert.equal(hex(speak(standing).payload.slice(16, 24)), "68000000ffff0000");
  for (let i = 1; i < 0xffff; i++) speak(standing);
  assert.equal(hex(speak(standing).payload.slice(16, 24)), "68000000ffffffff");
  assert.equal(hex(speak(standing).payload.slice(16, 24)), "6800000100000000");
});
