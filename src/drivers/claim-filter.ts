/**
 * Which frames the kernel shows to a `ClaimWatch`: a storm of ARP on the segment must not keep a
 * real-time process busy. Offsets are those of `arp-frame.ts`, `na-frame.ts`, `advert-frame.ts`.
 */

import { AH_PROTOCOL, VRRP_PROTOCOL } from "../core/vrrp/packet.ts";
import {
  ACCEPT,
  REFUSE,
  byte,
  half,
  vlanTagPresent,
  whenEqual,
  word,
  type BpfProgram,
} from "./packet-filter.ts";

/** Beyond, the program would outgrow the 20 KiB that a socket may have (net.core.optmem_max). */
const MAX_FILTERED_ADDRESSES = 64;

const ETHER_TYPE = 12;
const ARP_SENDER_ADDRESS = 28;
const IPV6_NEXT_HEADER = 20;
const IPV4_PROTOCOL = 23;
const IPV4_SOURCE = 26;
const ICMPV6_TYPE = 54;
const NA_TARGET = 62;

const ARP = 0x0806;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ICMPV6 = 58;
const NEIGHBOUR_ADVERTISEMENT = 136;

/**
 * ARP of any kind with one of `addresses` (4 or 16 bytes each) as its sender, and neighbour
 * advertisements for one of them; with very many addresses, all ARP and advertisements. VRRP of
 * IPv4 from one of them, unless they are very many: a segment may be full of it. Never frames of a
 * VLAN: they belong to the interface above.
 */
export function claimFilter(addresses: readonly Uint8Array[]): BpfProgram {
  const isFew = addresses.length <= MAX_FILTERED_ADDRESSES;
  const watched = (length: 4 | 16, at: number): BpfProgram =>
    isFew ? addresses.filter((a) => a.length === length).flatMap((a) => match(a, at)) : [ACCEPT];
  const advertisement = whenEqual(
    byte(ICMPV6_TYPE),
    NEIGHBOUR_ADVERTISEMENT,
    watched(16, NA_TARGET),
  );
  const own = isFew ? watched(4, IPV4_SOURCE) : [];
  const adverts = [VRRP_PROTOCOL, AH_PROTOCOL].flatMap((protocol) =>
    whenEqual(byte(IPV4_PROTOCOL), protocol, own),
  );
  return [
    ...whenEqual(vlanTagPresent, 1, [REFUSE]),
    ...whenEqual(half(ETHER_TYPE), IPV4, adverts),
    ...whenEqual(half(ETHER_TYPE), ARP, watched(4, ARP_SENDER_ADDRESS)),
    ...whenEqual(half(ETHER_TYPE), IPV6, whenEqual(byte(IPV6_NEXT_HEADER), ICMPV6, advertisement)),
    REFUSE,
  ];
}

/** Accepts when the bytes at `at` are `address`, else goes on behind itself. */
function match(address: Uint8Array, at: number): BpfProgram {
  const { buffer, byteOffset, length } = address;
  const view = new DataView(buffer, byteOffset, length);
  let program: BpfProgram = [ACCEPT];
  for (let i = length - 4; i >= 0; i -= 4) {
    program = whenEqual(word(at + i), view.getUint32(i), program);
  }
  return program;
}
