/** ARP frames (RFC 826): the gratuitous kind that moves an address, and reading who claims one. */

/** Without padding; the network card fills up to the Ethernet minimum. */
export const ARP_FRAME_LENGTH = 42;

const ETHERNET_LENGTH = 14;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV4 = 0x0800;
const REQUEST = 1;
const SENDER_MAC = 22;
const SENDER_IP = 28;
const TARGET_MAC = 32;
const TARGET_IP = 38;

/**
 * A gratuitous ARP as keepalived sends it: a broadcast request for `address` from `address`, with
 * all ones as target. `mac` (6 bytes) is the Ethernet source and the claim; RFC 5227 section 3.
 */
export function gratuitousArp(mac: Uint8Array, address: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ARP_FRAME_LENGTH);
  const view = new DataView(frame.buffer);
  frame.fill(0xff, 0, 6);
  frame.set(mac, 6);
  view.setUint16(12, ETHERTYPE_ARP);
  view.setUint16(14, 1);
  view.setUint16(16, ETHERTYPE_IPV4);
  frame[18] = 6;
  frame[19] = 4;
  view.setUint16(20, REQUEST);
  frame.set(mac, SENDER_MAC);
  frame.set(address, SENDER_IP);
  frame.fill(0xff, TARGET_MAC, TARGET_IP);
  frame.set(address, TARGET_IP);
  return frame;
}

/** A question to all, who has `address`, that moves nothing: an ARP probe, RFC 5227 section 2.1.1. */
export function arpProbe(mac: Uint8Array, address: Uint8Array): Uint8Array {
  const frame = gratuitousArp(mac, address);
  frame.fill(0, SENDER_IP, TARGET_IP);
  return frame;
}

/** Where a claim stands in a frame: bytes of the MAC and of the address it claims. */
export interface Claim {
  readonly macOffset: number;
  readonly addressOffset: number;
  readonly addressLength: 4 | 16;
}

const ARP_CLAIM: Claim = { macOffset: SENDER_MAC, addressOffset: SENDER_IP, addressLength: 4 };

/** The claim of an Ethernet frame with ARP of any kind; a probe (sender 0.0.0.0) claims nothing. */
export function arpClaim(frame: Uint8Array): Claim | undefined {
  if (frame.length < ARP_FRAME_LENGTH) return undefined;
  const isIpv4 = frame[ETHERNET_LENGTH + 4] === 6 && frame[ETHERNET_LENGTH + 5] === 4;
  if (frame[12] !== 0x08 || frame[13] !== 0x06 || !isIpv4) return undefined;
  const probes = frame.subarray(SENDER_IP, SENDER_IP + 4).every((byte) => byte === 0);
  return probes ? undefined : ARP_CLAIM;
}
