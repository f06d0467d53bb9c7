/** What the kernel makes of a classic BPF program, as far as ours go. */

import assert from "node:assert/strict";
import type { BpfProgram } from "../../src/drivers/packet-filter.ts";

export function passes(program: BpfProgram, packet: Uint8Array, vlanTag = 0): boolean {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  let a = 0;
  for (let at = 0; ; at++) {
    const [code, ifTrue, ifFalse, k] = program[at]!;
    const size = { 0x20: 4, 0x28: 2, 0x30: 1 }[code] ?? 0;
    if (code === 0x20 && k === 0xffff_f030) a = vlanTag;
    else if (size > 0 && k + size > packet.length) return false;
    else if (code === 0x20) a = view.getUint32(k);
    else if (code === 0x28) a = view.getUint16(k);
    else if (code === 0x30) a = view.getUint8(k);
    else if (code === 0x54) a &= k;
    else if (code === 0x05) at += k;
    else if (code === 0x15) at += a === k ? ifTrue : ifFalse;
    else if (code === 0x06) return k > 0;
    else assert.fail(`instruction ${code}`);
  }
}
