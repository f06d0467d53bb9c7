/**
 * Which frames the kernel shows to a `ClaimWatch`: a storm of ARP on the segment must not keep a
 * real-time process busy. Offsets are those of `arp-frame.ts` and `na-frame.ts`.
 */

import {
  BPF_JUMP,
  BPF_JUMP_EQUAL,
  BPF_LOAD_BYTE,
  BPF_LOAD_HALF,
  BPF_LOAD_WORD,
  BPF_RETURN,
  BPF_VLAN_TAG_PRESENT,
  type BpfInstruction,
} from "./packet-filter.ts";

/** Beyond, the program would outgrow the 20 KiB that a socket may have (net.core.optmem_max). */
const MAX_FILTERED_ADDRESSES = 64;
const WHOLE_FRAME = 0xffff;

const ETHER_TYPE = 12;
const ARP_SENDER_ADDRESS = 28;
const IPV6_NEXT_HEADER = 20;
const ICMPV6_TYPE = 54;
const NA_TARGET = 62;

const ACCEPT: BpfInstruction = [BPF_RETURN, 0, 0, WHOLE_FRAME];
const REFUSE: BpfInstruction = [BPF_RETURN, 0, 0, 0];

/**
 * ARP of any kind with one of `addresses` (4 or 16 bytes each) as its sender, and neighbour
 * advertisements for one of them; with very many addresses, all ARP and advertisements. Never
 * frames of a VLAN: they belong to the interface above.
 */
export function claimFilter(addresses: readonly Uint8Array[]): readonly BpfInstruction[] {
  const isFew = addresses.length <= MAX_FILTERED_ADDRESSES;
  const matches = (length: 4 | 16, at: number): readonly BpfInstruction[] =>
    isFew
      ? [...addresses.filter((a) => a.length === length).flatMap((a) => match(a, at)), REFUSE]
      : [ACCEPT];
  const arp = matches(4, ARP_SENDER_ADDRESS);
  return [
    [BPF_LOAD_WORD, 0, 0, BPF_VLAN_TAG_PRESENT],
    [BPF_JUMP_EQUAL, 1, 0, 0],
    REFUSE,
    [BPF_LOAD_HALF, 0, 0, ETHER_TYPE],
    [BPF_JUMP_EQUAL, 1, 0, 0x0806],
    [BPF_JUMP, 0, 0, arp.length],
    ...arp,
    [BPF_JUMP_EQUAL, 0, 4, 0x86dd],
    [BPF_LOAD_BYTE, 0, 0, IPV6_NEXT_HEADER],
    [BPF_JUMP_EQUAL, 0, 2, 58],
    [BPF_LOAD_BYTE, 0, 0, ICMPV6_TYPE],
    [BPF_JUMP_EQUAL, 1, 0, 136],
    REFUSE,
    ...matches(16, NA_TARGET),
  ];
}

/** Accepts when the bytes at `at` are `address`, else goes on behind itself. */
function match(address: Uint8Array, at: number): readonly BpfInstruction[] {
  const { buffer, byteOffset, length } = address;
  const view = new DataView(buffer, byteOffset, length);
  const words = Array.from({ length: length / 4 }, (_, i) => view.getUint32(i * 4));
  const compare = words.flatMap((word, i): readonly BpfInstruction[] => [
    [BPF_LOAD_WORD, 0, 0, at + i * 4],
    [BPF_JUMP_EQUAL, 0, 2 * (words.length - 1 - i) + 1, word],
  ]);
  return [...compare, ACCEPT];
}
