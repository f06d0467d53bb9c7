/** Sends ready-made Ethernet frames on any interface: gratuitous ARP, unsolicited NA. packet(7). */

import * as ffi from "./ffi.ts";
import { osFailure, type OsFailure } from "./ffi.ts";
import { MessageBuffer } from "./message-buffer.ts";

/** `struct sockaddr_ll`: family, protocol, index at 4. */
const SOCKADDR_LL_SIZE = 20;
const MAX_FRAME = 1514;

export class Announcer {
  readonly #fd: number;
  readonly #message = new MessageBuffer({ name: SOCKADDR_LL_SIZE, payload: MAX_FRAME, control: 0 });

  static open(): Announcer | OsFailure {
    // Protocol 0: this socket receives nothing.
    const fd = ffi.openSocket(ffi.AF_PACKET, ffi.SOCK_RAW | ffi.SOCK_NONBLOCK, 0);
    return fd < 0 ? osFailure("open a packet socket", fd) : new Announcer(fd);
  }

  private constructor(fd: number) {
    this.#fd = fd;
    this.#message.name.view.setUint16(0, ffi.AF_PACKET, true);
    this.#message.setNameLength(SOCKADDR_LL_SIZE);
  }

  /** `frame` starts with the destination MAC. 0 or `-errno`. */
  send(interfaceIndex: number, frame: Uint8Array): number {
    const { name, payload } = this.#message;
    name.view.setInt32(4, interfaceIndex, true);
    payload.bytes.set(frame);
    this.#message.setPayloadLength(frame.length);
    const sent = ffi.sendMessage(this.#fd, this.#message.address, ffi.MSG_DONTWAIT);
    return sent < 0 ? sent : 0;
  }

  close(): void {
    ffi.closeFd(this.#fd);
  }
}
