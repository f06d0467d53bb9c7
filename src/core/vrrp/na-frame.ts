/** Neighbour discovery (RFC 4861 sections 4.3, 4.4) as whole Ethernet frames. */

import type { Claim } from "./arp-frame.ts";
import { foldChecksum, sumWords } from "./checksum.ts";

const IPV6 = 14;
const ICMPV6 = IPV6 + 40;
const TARGET = ICMPV6 + 8;
const OPTION = TARGET + 16;
const NA_FRAME_LENGTH = OPTION + 8;
const PAYLOAD_LENGTH = NA_FRAME_LENGTH - ICMPV6;
const NEXT_HEADER_ICMPV6 = 58;
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;
const SOURCE_LINK_LAYER_ADDRESS = 1;
const TARGET_LINK_LAYER_ADDRESS = 2;
const ROUTER_FLAG = 0x80;
const OVERRIDE_FLAG = 0x20;

/**
 * Unsolicited: from `address` to all nodes, hop limit 255, S clear, O set, with the target
 * link-layer address option; R when we forward packets (RFC 9568 section 6.4.2 (430)).
 */
export function unsolicitedNa(mac: Uint8Array, address: Uint8Array, isRouter: boolean): Uint8Array {
  const frame = new Uint8Array(NA_FRAME_LENGTH);
  const view = new DataView(frame.buffer);
  frame.set([0x33, 0x33, 0, 0, 0, 1]);
  frame.set(mac, 6);
  view.setUint16(12, 0x86dd);
  frame[IPV6] = 0x60;
  view.setUint16(IPV6 + 4, PAYLOAD_LENGTH);
  frame[IPV6 + 6] = NEXT_HEADER_ICMPV6;
  frame[IPV6 + 7] = 255;
  frame.set(address, IPV6 + 8);
  frame[IPV6 + 24] = 0xff;
  frame[IPV6 + 25] = 0x02;
  frame[IPV6 + 39] = 1;
  frame[ICMPV6] = NEIGHBOUR_ADVERTISEMENT;
  frame[ICMPV6 + 4] = OVERRIDE_FLAG | (isRouter ? ROUTER_FLAG : 0);
  frame.set(address, TARGET);
  frame[OPTION] = TARGET_LINK_LAYER_ADDRESS;
  frame[OPTION + 1] = 1;
  frame.set(mac, OPTION + 2);
  view.setUint16(ICMPV6 + 2, checksumOf(frame));
  return frame;
}

/**
 * A question to all, who has `address`, from the link-local address `source`: only that one hears
 * the answer. Asked without an address, as duplicate address detection does, all would hear it,
 * and follow who answers.
 */
export function neighbourQuestion(
  mac: Uint8Array,
  source: Uint8Array,
  address: Uint8Array,
): Uint8Array {
  const frame = new Uint8Array(NA_FRAME_LENGTH);
  const view = new DataView(frame.buffer);
  frame.set([0x33, 0x33, 0xff, ...address.subarray(13)]);
  frame.set(mac, 6);
  view.setUint16(12, 0x86dd);
  frame[IPV6] = 0x60;
  view.setUint16(IPV6 + 4, PAYLOAD_LENGTH);
  frame[IPV6 + 6] = NEXT_HEADER_ICMPV6;
  frame[IPV6 + 7] = 255;
  frame.set(source, IPV6 + 8);
  const solicitedNode = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff];
  frame.set([...solicitedNode, ...address.subarray(13)], IPV6 + 24);
  frame[ICMPV6] = NEIGHBOUR_SOLICITATION;
  frame.set(address, TARGET);
  frame[OPTION] = SOURCE_LINK_LAYER_ADDRESS;
  frame[OPTION + 1] = 1;
  frame.set(mac, OPTION + 2);
  view.setUint16(ICMPV6 + 2, checksumOf(frame));
  return frame;
}

/** RFC 4443 section 2.3: over addresses, length, next header and message. */
function checksumOf(frame: Uint8Array): number {
  const addresses = sumWords(0, frame, IPV6 + 8, ICMPV6);
  const pseudo = addresses + PAYLOAD_LENGTH + NEXT_HEADER_ICMPV6;
  return foldChecksum(sumWords(pseudo, frame, ICMPV6, frame.length));
}

const NA_CLAIM: Claim = { macOffset: OPTION + 2, addressOffset: TARGET, addressLength: 16 };

/** The claim of a neighbour advertisement that carries the link-layer address option first. */
export function naClaim(frame: Uint8Array): Claim | undefined {
  if (frame.length < NA_FRAME_LENGTH || frame[12] !== 0x86 || frame[13] !== 0xdd) return undefined;
  const isNa = frame[IPV6 + 6] === NEXT_HEADER_ICMPV6 && frame[ICMPV6] === NEIGHBOUR_ADVERTISEMENT;
  if (!isNa || frame[IPV6 + 7] !== 255) return undefined;
  return frame[OPTION] === TARGET_LINK_LAYER_ADDRESS ? NA_CLAIM : undefined;
}
