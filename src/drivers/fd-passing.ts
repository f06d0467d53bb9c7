/**
 * Open descriptors from one process to another, with a text that says what they are: SCM_RIGHTS
 * over unix datagram sockets, unix(7). Each process has a box of its own (a path) and sends to the
 * boxes of others, so neither side must be the parent of the other, nor older.
 */

import { chmodSync, unlinkSync } from "node:fs";
import {
  AF_UNIX,
  bindSocket,
  closeFd,
  EAGAIN,
  EINVAL,
  MSG_DONTWAIT,
  openSocket,
  osFailure,
  receiveMessage,
  sendMessage,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  type OsFailure,
} from "./ffi.ts";
import { MessageBuffer } from "./message-buffer.ts";
import { watchReadable, type Watch } from "./poll.ts";
import { unixSockaddr } from "./stream-address.ts";

const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x40000000;

/** In one message; the kernel allows 253. */
export const MAX_PASSED = 64;
const MAX_TEXT = 16 * 1024;
/** `sockaddr_un`, and a control message of that many descriptors. */
const SIZES = { name: 110, payload: MAX_TEXT, control: 16 + 4 * MAX_PASSED };
const MAX_PER_EVENT = 16;
/** The kernel keeps some ten messages for who has not read them yet; a full queue is tried again, that often. */
const RETRY_MS = 20;
const RETRIES = 250;

export interface PassedDescriptors {
  readonly text: string;
  /** Close-on-exec; owned by whoever is told. */
  readonly fds: readonly number[];
}

export class DescriptorBox {
  readonly #fd: number;
  readonly #path: string;
  readonly #watch: Watch;
  readonly #buffer = new MessageBuffer(SIZES);

  /** A box at `path` (mode 0600); a file there is replaced. `received` is called by the event loop. */
  static open(
    path: string,
    received: (passed: PassedDescriptors) => void,
  ): DescriptorBox | OsFailure {
    const call = `receive descriptors at ${path}`;
    const address = unixSockaddr(path);
    if (address === undefined) return osFailure(call, -EINVAL);
    const fd = openSocket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0) return osFailure(call, fd);
    removeFile(path);
    const result = bindSocket(fd, address);
    if (result < 0) {
      closeFd(fd);
      return osFailure(call, result);
    }
    chmodSync(path, 0o600);
    return new DescriptorBox(fd, path, received);
  }

  private constructor(fd: number, path: string, received: (passed: PassedDescriptors) => void) {
    this.#fd = fd;
    this.#path = path;
    this.#watch = watchReadable(fd, () => {
      for (let i = 0; i < MAX_PER_EVENT; i++) {
        const passed = this.#receive();
        if (passed === undefined) return;
        setImmediate(received, passed);
      }
    });
  }

  /**
   * However many, in several messages; each text is a JSON array of the names of what comes with it. A full
   * queue is tried again, and what is gone by then (`fdOf`) is left out. 0 or `-errno`.
   */
  async sendAll(
    path: string,
    names: readonly string[],
    fdOf: (name: string) => number | undefined,
  ): Promise<number> {
    for (let i = 0; i < names.length; i += MAX_PASSED) {
      const part = names.slice(i, i + MAX_PASSED);
      let result = this.#sendPart(path, part, fdOf);
      for (let tries = 0; result === -EAGAIN && tries < RETRIES; tries++) {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        result = this.#sendPart(path, part, fdOf);
      }
      if (result < 0) return result;
    }
    return 0;
  }

  #sendPart(
    path: string,
    names: readonly string[],
    fdOf: (name: string) => number | undefined,
  ): number {
    const held = names.filter((name) => fdOf(name) !== undefined);
    return this.send(
      path,
      JSON.stringify(held),
      held.map((name) => fdOf(name)!),
    );
  }

  /** At most `MAX_PASSED`. 0 or `-errno`: `-EAGAIN` its queue is full, `-ECONNREFUSED` it is dead. */
  send(path: string, text: string, fds: readonly number[]): number {
    const address = unixSockaddr(path);
    const bytes = Buffer.from(text);
    if (address === undefined || bytes.length > MAX_TEXT || fds.length > MAX_PASSED) return -EINVAL;
    const buffer = this.#buffer;
    buffer.name.bytes.set(address);
    buffer.setNameLength(address.length);
    buffer.payload.bytes.set(bytes);
    buffer.setPayloadLength(bytes.length);
    const at = buffer.writeControl(SOL_SOCKET, SCM_RIGHTS, 4 * fds.length);
    for (const [i, fd] of fds.entries()) buffer.control.view.setInt32(at + 4 * i, fd, true);
    if (fds.length === 0) buffer.setControlLength(0);
    return Math.min(0, sendMessage(this.#fd, buffer.address, MSG_DONTWAIT));
  }

  close(): void {
    this.#watch.close();
    closeFd(this.#fd);
    removeFile(this.#path);
  }

  #receive(): PassedDescriptors | undefined {
    const buffer = this.#buffer;
    buffer.reset();
    buffer.setPayloadLength(MAX_TEXT);
    const length = receiveMessage(this.#fd, buffer.address, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0) return undefined;
    const text = Buffer.from(buffer.payload.bytes.subarray(0, length)).toString();
    const at = buffer.findControl(SOL_SOCKET, SCM_RIGHTS);
    const fds: number[] = [];
    const count = at < 0 ? 0 : (buffer.control.view.getUint32(0, true) - 16) / 4;
    for (let i = 0; i < count; i++) fds.push(buffer.control.view.getInt32(at + 4 * i, true));
    return { text, fds };
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Not there: fine.
  }
}
