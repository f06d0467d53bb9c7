/** Classic BPF programs on sockets: the kernel throws away what we would. socket(7), bpf(4). */

import * as ffi from "./ffi.ts";

export const BPF_LOAD_WORD = 0x20;
export const BPF_LOAD_BYTE = 0x30;
export const BPF_LOAD_HALF = 0x28;
/** The length of the IPv4 header at `k` goes to the index register, which the next one adds. */
export const BPF_INDEX_IPV4_HEADER = 0xb1;
export const BPF_LOAD_HALF_INDEXED = 0x48;
/** To the instruction `k` further on; the conditional jump reaches 255 only. */
export const BPF_JUMP = 0x05;
export const BPF_JUMP_EQUAL = 0x15;
export const BPF_RETURN = 0x06;

/** Loaded as a word: 1 when a VLAN tag was taken off the frame. */
export const BPF_VLAN_TAG_PRESENT = 0xffff_f030;

/** `struct sock_filter`. */
export type BpfInstruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number];

/** 0 or `-errno`. The kernel copies the program. */
export function attachFilter(fd: number, program: readonly BpfInstruction[]): number {
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
