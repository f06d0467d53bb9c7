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

const ALL_NODES = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

/**
 * Unsolicited: from `address` to all nodes, hop limit 255, S clear, O set, with the target
 * link-layer address option; R when we forward packets (RFC 9568 section 6.4.2 (430)).
 */
export function unsolicitedNa(mac: Uint8Array, address: Uint8Array, isRouter: boolean): Uint8Array {
  const frame = discovery(mac, { source: address, to: ALL_NODES, target: address });
  frame[ICMPV6] = NEIGHBOUR_ADVERTISEMENT;
  frame[ICMPV6 + 4] = OVERRIDE_FLAG | (isRouter ? ROUTER_FLAG : 0);
  frame[OPTION] = TARGET_LINK_LAYER_ADDRESS;
  return sealed(frame);
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
  const prefix = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff];
  const solicitedNode = Uint8Array.of(...prefix, ...address.subarray(13));
  const frame = discovery(mac, { source, to: solicitedNode, target: address });
  frame[ICMPV6] = NEIGHBOUR_SOLICITATION;
  frame[OPTION] = SOURCE_LINK_LAYER_ADDRESS;
  return sealed(frame);
}

interface Ends {
  readonly source: Uint8Array;
  /** A multicast address. */
  readonly to: Uint8Array;
  readonly target: Uint8Array;
}

/** All but the message's type, its flags and its option's type, and the checksum. */
function discovery(mac: Uint8Array, { source, to, target }: Ends): Uint8Array {
  const frame = new Uint8Array(NA_FRAME_LENGTH);
  const view = new DataView(frame.buffer);
  frame.set([0x33, 0x33, ...to.subarray(12)]);
  frame.set(mac, 6);
  view.setUint16(12, 0x86dd);
  frame[IPV6] = 0x60;
  view.setUint16(IPV6 + 4, PAYLOAD_LENGTH);
  frame[IPV6 + 6] = NEXT_HEADER_ICMPV6;
  frame[IPV6 + 7] = 255;
  frame.set(source, IPV6 + 8);
  frame.set(to, IPV6 + 24);
  frame.set(target, TARGET);
  frame[OPTION + 1] = 1;
  frame.set(mac, OPTION + 2);
  return frame;
}

function sealed(frame: Uint8Array): Uint8Array {
  new DataView(frame.buffer).setUint16(ICMPV6 + 2, checksumOf(frame));
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
