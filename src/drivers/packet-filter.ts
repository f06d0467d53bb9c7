/**
 * Classic BPF programs on sockets: the kernel throws away what we would. socket(7), bpf(4).
 *
 * A program is put together from `whenEqual` and its two ends, so that nobody counts jumps.
 */

import * as ffi from "./ffi.ts";

/** `struct sock_filter`. */
export type BpfInstruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number];
export type BpfProgram = readonly BpfInstruction[];

const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const LOAD_HALF_INDEXED = 0x48;
const INDEX_IPV4_HEADER = 0xb1;
const AND = 0x54;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;
/** A conditional jump has a byte for its distance. */
const FARTHEST_CONDITIONAL = 255;
const WHOLE_PACKET = 0xffff_ffff;
const VLAN_TAG_PRESENT = 0xffff_f030;

export const ACCEPT: BpfInstruction = [RETURN, 0, 0, WHOLE_PACKET];
export const REFUSE: BpfInstruction = [RETURN, 0, 0, 0];

/** A number in network order at an offset in the packet; a packet that is too short is refused. */
export function word(at: number): BpfProgram {
  return [[LOAD_WORD, 0, 0, at]];
}

export function half(at: number): BpfProgram {
  return [[LOAD_HALF, 0, 0, at]];
}

export function byte(at: number): BpfProgram {
  return [[LOAD_BYTE, 0, 0, at]];
}

/** Some bits of an octet. */
export function bits(at: number, mask: number): BpfProgram {
  return [...byte(at), [AND, 0, 0, mask]];
}

/** The same behind the IPv4 header that the packet starts with, options included. */
export function halfBehindIpv4(at: number): BpfProgram {
  return [
    [INDEX_IPV4_HEADER, 0, 0, 0],
    [LOAD_HALF_INDEXED, 0, 0, at],
  ];
}

/** 1 when a VLAN tag was taken off the frame, else 0. */
export const vlanTagPresent: BpfProgram = word(VLAN_TAG_PRESENT);

/** Runs `then` when `load` loads `value`; what follows runs otherwise, or when `then` ends. */
export function whenEqual(load: BpfProgram, value: number, then: BpfProgram): BpfProgram {
  if (then.length <= FARTHEST_CONDITIONAL) {
    return [...load, [JUMP_EQUAL, 0, then.length, value], ...then];
  }
  return [...load, [JUMP_EQUAL, 1, 0, value], [JUMP, 0, 0, then.length], ...then];
}

/** Of TCP (RFC 9293 section 3.1), for what a listening socket is shown: its packets begin with that header. */
const FLAGS = 13;
const SYN = 0x02;
const ACK = 0x10;

/**
 * Whoever begins to connect is refused. Who has got an answer to that already may send its request by
 * now: to drop it would send it, again, to whoever has the address by then.
 */
export const NO_NEWCOMERS: BpfProgram = [
  ...whenEqual(bits(FLAGS, SYN | ACK), SYN, [REFUSE]),
  ACCEPT,
];

/** Everything is let through again. 0 or `-errno`. */
export function detachFilter(fd: number): number {
  return ffi.setSocketOption(fd, ffi.SOL_SOCKET, ffi.SO_DETACH_FILTER, 0);
}

/** 0 or `-errno`. The kernel copies the program. */
export function attachFilter(fd: number, program: BpfProgram): number {
  const code = new ffi.NativeMemory(program.length * 8);
  for (const [i, [operation, ifTrue, ifFalse, k]] of program.entries()) {
    code.view.setUint16(i * 8, operation, true);
    code.view.setUint8(i * 8 + 2, ifTrue);
    code.view.setUint8(i * 8 + 3, ifFalse);
    code.view.setUint32(i * 8 + 4, k, true);
  }
  const header = new ffi.NativeMemory(16);
  header.view.setUint16(0, program.length, true);
  header.setPointer(8, code.address);
  return ffi.setSocketOption(fd, ffi.SOL_SOCKET, ffi.SO_ATTACH_FILTER, header.bytes);
}
