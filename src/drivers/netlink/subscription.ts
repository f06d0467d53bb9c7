/**
 * Notifications of the kernel: a netlink socket that joined groups and is watched by the event
 * loop. When the kernel had to drop some (ENOBUFS), the listener is told to look for itself.
 */

import {
  AF_NETLINK,
  EAGAIN,
  EINTR,
  MSG_DONTWAIT,
  NativeMemory,
  SOCK_RAW,
  SOL_SOCKET,
  SO_RCVBUFFORCE,
  bindSocket,
  closeFd,
  openSocket,
  osFailure,
  receiveInto,
  setSocketOption,
} from "../ffi.ts";
import type { OsFailure } from "../ffi.ts";
import { attachFilter, type BpfProgram } from "../packet-filter.ts";
import { watchReadable } from "../poll.ts";
import type { Watch } from "../poll.ts";
import { readMessages } from "./message.ts";
import type { Message } from "./message.ts";

export const RTNLGRP_LINK = 1;
export const RTNLGRP_IPV4_IFADDR = 5;
export const RTNLGRP_IPV6_IFADDR = 9;

const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NOTICE_BYTES = 64 * 1024;
/** Thousands of address changes at once without a loss. */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;
/** The rest waits for the next turn of the loop, so that adverts are not delayed. */
const DATAGRAMS_PER_WAKE = 128;

export interface Listener {
  /** Valid during the call only. */
  readonly onMessage: (message: Message) => void;
  /** Notifications were lost: read the state anew. */
  readonly onLoss: () => void;
}

export class Subscription {
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #notice = new NativeMemory(NOTICE_BYTES);
  readonly #listener: Listener;

  private constructor(fd: number, listener: Listener) {
    this.#fd = fd;
    this.#listener = listener;
    this.#watch = watchReadable(fd, () => this.#drain());
  }

  /** Joins groups (RTNLGRP_*) of a protocol (NETLINK_ROUTE …). `filter`: what is heard of it. */
  static open(
    protocol: number,
    groups: readonly number[],
    listener: Listener,
    filter?: BpfProgram,
  ): Subscription | OsFailure {
    const fd = openSocket(AF_NETLINK, SOCK_RAW, protocol);
    if (fd < 0) return osFailure("open a netlink socket", fd);
    setSocketOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
    const address = new Uint8Array(12);
    address[0] = AF_NETLINK;
    let status = filter === undefined ? 0 : attachFilter(fd, filter);
    if (status >= 0) status = bindSocket(fd, address);
    for (const group of groups) {
      if (status < 0) break;
      status = setSocketOption(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group);
    }
    if (status >= 0) return new Subscription(fd, listener);
    closeFd(fd);
    return osFailure("subscribe to netlink notifications", status);
  }

  close(): void {
    this.#watch.close();
    closeFd(this.#fd);
  }

  #drain(): void {
    for (let i = 0; i < DATAGRAMS_PER_WAKE; i++) {
      const length = receiveInto(this.#fd, this.#notice, MSG_DONTWAIT);
      if (length === -EAGAIN || length === -EINTR) return;
      if (length < 0) {
        this.#listener.onLoss();
        return;
      }
      for (const message of readMessages(this.#notice.bytes.subarray(0, length))) {
        this.#listener.onMessage(message);
      }
    }
  }
}
