/**
 * Who else says that an address of ours is theirs: ARP of any kind and neighbour advertisements
 * on one interface. The kernel passes nothing else up here. packet(7).
 */

import { arpClaim } from "../core/vrrp/arp-frame.ts";
import { naClaim } from "../core/vrrp/na-frame.ts";
import { formatIp } from "../lib/ip-address.ts";
import * as ffi from "./ffi.ts";
import { osFailure, type OsFailure } from "./ffi.ts";
import { formatMac } from "./netlink/links.ts";
import {
  attachFilter,
  BPF_JUMP_EQUAL,
  BPF_LOAD_BYTE,
  BPF_LOAD_HALF,
  BPF_RETURN,
  type BpfInstruction,
} from "./packet-filter.ts";
import { watchReadable, type Watch } from "./poll.ts";

const ETH_P_ALL = 0x0003;
const SOCKADDR_LL_SIZE = 20;
const FRAME_BYTES = 128;
/** Bounds the work of one wake-up on a segment full of ARP. */
const FRAMES_PER_WAKE = 32;

/** ARP, or IPv6 with ICMPv6 type 136 right behind the header. */
const CLAIMS_ONLY: readonly BpfInstruction[] = [
  [BPF_LOAD_HALF, 0, 0, 12],
  [BPF_JUMP_EQUAL, 5, 0, 0x0806],
  [BPF_JUMP_EQUAL, 0, 5, 0x86dd],
  [BPF_LOAD_BYTE, 0, 0, 20],
  [BPF_JUMP_EQUAL, 0, 3, 58],
  [BPF_LOAD_BYTE, 0, 0, 54],
  [BPF_JUMP_EQUAL, 0, 1, 136],
  [BPF_RETURN, 0, 0, FRAME_BYTES],
  [BPF_RETURN, 0, 0, 0],
];

export class ClaimWatch {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #frame = new ffi.NativeMemory(FRAME_BYTES);
  readonly #onClaim: (address: string, mac: string) => void;

  /** `onClaim` is told of every claim, ours (also those that we send) among them. */
  static open(
    interfaceIndex: number,
    onClaim: (address: string, mac: string) => void,
  ): ClaimWatch | OsFailure {
    // Bound only when the filter is there, so that nothing else is ever queued.
    const fd = ffi.openSocket(ffi.AF_PACKET, ffi.SOCK_RAW | ffi.SOCK_NONBLOCK, 0);
    if (fd < 0) return osFailure("open a packet socket", fd);
    const address = new Uint8Array(SOCKADDR_LL_SIZE);
    const view = new DataView(address.buffer);
    view.setUint16(0, ffi.AF_PACKET, true);
    view.setUint16(2, ETH_P_ALL, false);
    view.setInt32(4, interfaceIndex, true);
    const filtered = attachFilter(fd, CLAIMS_ONLY);
    const status = filtered < 0 ? filtered : ffi.bindSocket(fd, address);
    if (status >= 0) return new ClaimWatch(fd, onClaim);
    ffi.closeFd(fd);
    return osFailure(`watch ARP on interface ${interfaceIndex}`, status);
  }

  private constructor(fd: number, onClaim: (address: string, mac: string) => void) {
    this.#fd = fd;
    this.#onClaim = onClaim;
    this.#watch = watchReadable(fd, () => this.#drain());
  }

  close(): void {
    this.#watch.close();
    ffi.closeFd(this.#fd);
  }

  #drain(): void {
    for (let i = 0; i < FRAMES_PER_WAKE; i++) {
      const length = ffi.receiveInto(this.#fd, this.#frame, ffi.MSG_DONTWAIT);
      if (length < 0) return;
      const frame = this.#frame.bytes.subarray(0, length);
      const claim = arpClaim(frame) ?? naClaim(frame);
      if (claim === undefined) continue;
      const { addressOffset, addressLength, macOffset } = claim;
      const address = formatIp(frame, addressOffset, addressLength);
      this.#onClaim(address, formatMac(frame.subarray(macOffset, macOffset + 6)));
    }
  }
}
