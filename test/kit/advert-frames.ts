/** An advert as a frame of Ethernet. */

import { foldChecksum, sumWords } from "../../src/core/vrrp/checksum.ts";

const ETHERNET = 14;
const IPV4 = 20;

/** To 224.0.0.18 with a TTL of 255, unless the draft says else. */
export function advertFrame(
  source: Uint8Array,
  payload: Uint8Array,
  draft: { readonly protocol?: number; readonly padding?: number } = {},
): Uint8Array {
  const { protocol = 112, padding = 0 } = draft;
  const frame = new Uint8Array(ETHERNET + IPV4 + payload.length + padding);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  view.setUint16(14, 0x45c0);
  view.setUint16(16, IPV4 + payload.length);
  frame.set([255, protocol], 22);
  frame.set(source, 26);
  frame.set([224, 0, 0, 18], 30);
  frame.set(payload, 34);
  view.setUint16(24, foldChecksum(sumWords(0, frame, ETHERNET, ETHERNET + IPV4)));
  return frame;
}
