/**
 * Who else says that an address of ours is theirs: ARP of any kind, neighbour advertisements and
 * adverts that come from it, on one interface. The kernel passes nothing else up here. packet(7).
 */

import { advertIn } from "../core/vrrp/advert-frame.ts";
import { arpClaim } from "../core/vrrp/arp-frame.ts";
import { naClaim } from "../core/vrrp/na-frame.ts";
import type { ReceivedDatagram } from "../core/vrrp/router-ports.ts";
import { formatIp, parseIp } from "../lib/ip-address.ts";
import { claimFilter } from "./claim-filter.ts";
import * as ffi from "./ffi.ts";
import { osFailure, type OsFailure } from "./ffi.ts";
import { formatMac } from "./netlink/links.ts";
import { attachFilter } from "./packet-filter.ts";
import { watchReadable, type Watch } from "./poll.ts";

const ETH_P_ALL = 0x0003;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const SOCKADDR_LL_SIZE = 20;
/** An advert of 255 addresses with all that may be before and behind it. */
const FRAME_BYTES = 1280;
/** Where a frame of Ethernet says who sends it. */
const SENDER_MAC = 6;
/** Bounds the work of one wake-up on a segment full of ARP. */
const FRAMES_PER_WAKE = 32;

export interface ClaimListener {
  /** Also our own claims that come back, and other addresses when very many are watched. */
  readonly onClaim: (address: string, mac: string) => void;
  /** From an address that is watched; without the interface, and its bytes are reused. `mac`: whose frame it was. */
  readonly onAdvert: (advert: ReceivedDatagram, mac: string) => void;
}

export class ClaimWatch {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #frame = new ffi.NativeMemory(FRAME_BYTES);
  readonly #listener: ClaimListener;

  /** Hears nothing before `watch`. */
  static open(interfaceIndex: number, listener: ClaimListener): ClaimWatch | OsFailure {
    // Bound only when the filter is there, so that nothing else is ever queued.
    const fd = ffi.openSocket(ffi.AF_PACKET, ffi.SOCK_RAW | ffi.SOCK_NONBLOCK, 0);
    if (fd < 0) return osFailure("open a packet socket", fd);
    const address = new Uint8Array(SOCKADDR_LL_SIZE);
    const view = new DataView(address.buffer);
    view.setUint16(0, ffi.AF_PACKET, true);
    view.setUint16(2, ETH_P_ALL, false);
    view.setInt32(4, interfaceIndex, true);
    // Spares a look at every frame that we send; not before Linux 4.20.
    ffi.setSocketOption(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    const filtered = attachFilter(fd, claimFilter([]));
    const status = filtered < 0 ? filtered : ffi.bindSocket(fd, address);
    if (status >= 0) return new ClaimWatch(fd, listener);
    ffi.closeFd(fd);
    return osFailure(`watch ARP on interface ${interfaceIndex}`, status);
  }

  private constructor(fd: number, listener: ClaimListener) {
    this.#fd = fd;
    this.#listener = listener;
    this.#watch = watchReadable(fd, () => this.#drain());
  }

  /** From now on claims of these addresses (canonical text). 0 or `-errno`. */
  watch(addresses: Iterable<string>): number {
    const bytes = [...addresses].map(parseIp).filter((address) => address !== undefined);
    return attachFilter(this.#fd, claimFilter(bytes));
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
      if (claim === undefined) {
        const advert = advertIn(frame);
        if (advert === undefined) continue;
        this.#listener.onAdvert(advert, formatMac(frame.subarray(SENDER_MAC, SENDER_MAC + 6)));
        continue;
      }
      const { addressOffset, addressLength, macOffset } = claim;
      const address = formatIp(frame, addressOffset, addressLength);
      this.#listener.onClaim(address, formatMac(frame.subarray(macOffset, macOffset + 6)));
    }
  }
}
