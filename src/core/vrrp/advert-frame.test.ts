import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { advertFrame } from "../../../test/kit/advert-frames.ts";
import { advertIn } from "./advert-frame.ts";

const SOURCE = Uint8Array.of(192, 0, 2, 1);
const PAYLOAD = Uint8Array.of(0x31, 51, 255, 1, 0, 100, 0, 0, 192, 0, 2, 1);

test("a frame is read as a raw socket would tell it, without Ethernet's padding", () => {
  for (const padding of [0, 14]) {
    const advert = advertIn(advertFrame(SOURCE, PAYLOAD, { padding }));
    assert.deepEqual(advert, {
      interface: "",
      family: "ipv4",
      protocol: 112,
      source: "192.0.2.1",
      destination: "224.0.0.18",
      ttl: 255,
      payload: PAYLOAD,
    });
  }
});

test("one with an authentication header brings what its digest covers", () => {
  const frame = advertFrame(SOURCE, PAYLOAD, { protocol: 51 });
  assert.deepEqual(advertIn(frame)?.ipHeader, frame.subarray(14, 34));
});

test("fragments, other protocols and frames that are cut or broken are none", () => {
  const broken = (at: number, byte: number): Uint8Array => {
    const frame = advertFrame(SOURCE, PAYLOAD);
    frame[at] = byte;
    return frame;
  };
  assert.equal(advertIn(advertFrame(SOURCE, PAYLOAD, { protocol: 17 })), undefined);
  assert.equal(advertIn(broken(20, 0x20)), undefined, "more fragments");
  assert.equal(advertIn(broken(22, 254)), undefined, "the sum of the header");
  const whole = advertFrame(SOURCE, PAYLOAD);
  for (let length = 0; length < whole.length; length++) {
    assert.equal(advertIn(whole.subarray(0, length)), undefined);
  }
});

test("no bytes make the reader throw", () => {
  const ipv4 = fc.uint8Array({ maxLength: 80 }).map((bytes) => {
    if (bytes.length > 14) bytes.set([8, 0, 0x45], 12);
    return bytes;
  });
  fc.assert(fc.property(ipv4, (frame) => void advertIn(frame)));
});
