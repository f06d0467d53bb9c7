/**
 * Tells when a listening socket of this network namespace ends: a service just died, or closed
 * its port. A check script that would have been asked in a second can be asked now.
 *
 * sock_diag(7) multicasts every destroyed TCP and UDP socket. A filter inside the kernel lets only
 * those pass that have no remote port - listeners and unconnected UDP sockets - so that the
 * thousands of connections that a busy server closes cost this process nothing.
 */

import {
  AF_NETLINK,
  MSG_DONTWAIT,
  NativeMemory,
  SOCK_RAW,
  bindSocket,
  closeFd,
  openSocket,
  osFailure,
  receiveInto,
} from "./ffi.ts";
import type { OsFailure } from "./ffi.ts";
import { ACCEPT, REFUSE, attachFilter, half, whenEqual } from "./packet-filter.ts";
import { watchReadable } from "./poll.ts";
import type { Watch } from "./poll.ts";

const NETLINK_SOCK_DIAG = 4;
/** SKNLGRP_INET_TCP_DESTROY, _UDP_DESTROY and the same two for IPv6, as bits. */
const DESTROY_GROUPS = 0b1111;
const NOTICE_BYTES = 4096;
/** The rest waits for the next turn of the loop. */
const NOTICES_PER_WAKE = 64;
/** nlmsghdr 16, family, state, timer, retransmissions 4, then the ports in network order. */
const LOCAL_PORT_OFFSET = 20;
const REMOTE_PORT_OFFSET = 22;

const NO_REMOTE_PORT = [...whenEqual(half(REMOTE_PORT_OFFSET), 0, [ACCEPT]), REFUSE];

export class ListenerWatch {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #notice = new NativeMemory(NOTICE_BYTES);
  readonly #onEnd: (port: number) => void;

  private constructor(fd: number, onEnd: (port: number) => void) {
    this.#fd = fd;
    this.#onEnd = onEnd;
    this.#watch = watchReadable(fd, () => this.#drain());
  }

  /** `onEnd` gets the local port, 0 for a socket that was never bound. */
  static open(onEnd: (port: number) => void): ListenerWatch | OsFailure {
    const fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
    if (fd < 0) return osFailure("open a sock_diag socket", fd);
    const address = new Uint8Array(12);
    address[0] = AF_NETLINK;
    address[8] = DESTROY_GROUPS;
    const failed = attachFilter(fd, NO_REMOTE_PORT) || bindSocket(fd, address);
    if (failed < 0) {
      closeFd(fd);
      return osFailure("subscribe to destroyed sockets", failed);
    }
    return new ListenerWatch(fd, onEnd);
  }

  close(): void {
    this.#watch.close();
    closeFd(this.#fd);
  }

  #drain(): void {
    for (let i = 0; i < NOTICES_PER_WAKE; i++) {
      // Lost notices (ENOBUFS) cost nothing but the head start: the interval still runs.
      const length = receiveInto(this.#fd, this.#notice, MSG_DONTWAIT);
      if (length < REMOTE_PORT_OFFSET + 2) return;
      this.#onEnd(this.#notice.view.getUint16(LOCAL_PORT_OFFSET, false));
    }
  }
}
