/**
 * A netlink socket for requests: one send, then the answers, synchronously. The kernel carries a
 * request out inside `send`, so a wait as for a network never happens; the receive timeout is
 * only a guard against a lost answer.
 *
 * Many messages go in one send. Only the last one asks for an acknowledgement: the kernel
 * reports the others only when they failed, so 255 addresses cost two system calls.
 */

import { assert } from "../../lib/assert.ts";
import {
  AF_NETLINK,
  EAGAIN,
  EBADMSG,
  ETIMEDOUT,
  NativeMemory,
  SOCK_RAW,
  SOL_SOCKET,
  SO_RCVBUFFORCE,
  SO_RCVTIMEO,
  SO_SNDBUFFORCE,
  bindSocket,
  closeFd,
  openSocket,
  osFailure,
  receiveInto,
  send,
  setSocketOption,
  socketName,
} from "../ffi.ts";
import type { OsFailure } from "../ffi.ts";
import {
  MessageWriter,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  readAcknowledgement,
  readMessages,
} from "./message.ts";
import type { Acknowledgement, Message } from "./message.ts";

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

const NFNL_MSG_BATCH_END = 0x11;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;

const REQUEST_BYTES = 256 * 1024;
/** Larger than any datagram of a dump, which the kernel bounds to 32 KiB. */
const ANSWER_BYTES = 64 * 1024;
/** Room for the errors of a whole batch. Taken from the kernel only while errors wait. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
const SEND_BUFFER_BYTES = 1024 * 1024;
const ANSWER_TIMEOUT_S = 2;
const SEQUENCE_LIMIT = 0x7fff_0000;
/** A dump that the kernel says was changed meanwhile is taken again this often. */
const DUMP_ATTEMPTS = 4;

/** `index`: place in the batch, in the order of `begin`. */
export interface Failure {
  readonly index: number;
  readonly reason: Acknowledgement;
}

/** What came of a `transact`. */
export interface Outcome {
  /** 0, or the `-errno` of the first message that failed. */
  readonly status: number;
  readonly failures: readonly Failure[];
  /** What the kernel sent besides; copies, to be kept as long as wanted. */
  readonly answers: readonly Message[];
}

export class NetlinkSocket {
  /** Indexes of interfaces that something was put on, by their names then: names can change. */
  readonly places: Map<string, number> = new Map();
  /** Attributes of the message begun last are written here. */
  readonly request: MessageWriter = new MessageWriter(REQUEST_BYTES);
  /** Our address; notifications caused by our requests carry it. */
  readonly portId: number;
  readonly #fd: number;
  /** nf_tables: a batch between two frame messages succeeds or fails as a whole. */
  readonly #atomic: boolean;
  readonly #answer = new NativeMemory(ANSWER_BYTES);
  #sequence = 1;
  /** The message that is to be acknowledged: its place and that of its flags. */
  #lastIndex = 0;
  #lastFlagsAt = 0;

  private constructor(fd: number, portId: number, protocol: number) {
    this.#fd = fd;
    this.portId = portId;
    this.#atomic = protocol === NETLINK_NETFILTER;
  }

  static open(protocol: number): NetlinkSocket | OsFailure {
    const fd = openSocket(AF_NETLINK, SOCK_RAW, protocol);
    if (fd < 0) return osFailure("open a netlink socket", fd);
    const address = new Uint8Array(12);
    address[0] = AF_NETLINK;
    const bound = bindSocket(fd, address) || socketName(fd, address);
    if (bound < 0) {
      closeFd(fd);
      return osFailure("bind a netlink socket", bound);
    }
    // Larger buffers and better error texts are a help, not a need: old kernels refuse some.
    setSocketOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
    setSocketOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER_BYTES);
    setSocketOption(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    setSocketOption(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
    setSocketOption(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
    const timeout = new Uint8Array(new BigInt64Array([BigInt(ANSWER_TIMEOUT_S), 0n]).buffer);
    setSocketOption(fd, SOL_SOCKET, SO_RCVTIMEO, timeout);
    return new NetlinkSocket(fd, new DataView(address.buffer).getUint32(4, true), protocol);
  }

  /** Starts a message; `flags` beyond NLM_F_REQUEST. Write its body to `request`, then `end`. */
  begin(type: number, flags: number): void {
    // The frame's end is not acknowledged by kernels before 6.10.
    if (!this.#atomic || type !== NFNL_MSG_BATCH_END) {
      this.#lastIndex = this.request.count;
      this.#lastFlagsAt = this.request.length + 6;
    }
    this.request.begin(type, NLM_F_REQUEST | flags, this.#sequence + this.request.count);
  }

  end(): void {
    this.request.end();
  }

  /** Sends what was begun since the last `transact` and waits for the outcome. */
  transact(): Outcome {
    const { request } = this;
    assert(request.count > 0, "a netlink transaction without a message");
    request.bytes[this.#lastFlagsAt]! |= NLM_F_ACK;
    return this.#exchange(false);
  }

  /** All objects that a GET request of `type` with this family header names. */
  dump(type: number, writeHeader: (request: MessageWriter) => void): readonly Message[] | number {
    for (let attempt = 1; ; attempt++) {
      this.begin(type, NLM_F_DUMP);
      writeHeader(this.request);
      this.end();
      const { status, answers } = this.#exchange(true);
      if (status < 0) return status;
      const interrupted = answers.some((answer) => (answer.flags & NLM_F_DUMP_INTR) !== 0);
      if (!interrupted || attempt === DUMP_ATTEMPTS) return answers;
    }
  }

  close(): void {
    closeFd(this.#fd);
  }

  #exchange(dump: boolean): Outcome {
    const { request } = this;
    const first = this.#sequence;
    const following = first + request.count;
    this.#sequence = following > SEQUENCE_LIMIT ? 1 : following;
    const sent = send(this.#fd, request.bytes, request.length, 0);
    request.clear();
    if (sent < 0) return { status: sent, failures: [], answers: [] };
    return this.#collect(first, first + this.#lastIndex, dump);
  }

  /** Reads until the last message, or one that stands for the whole batch, is answered. */
  #collect(first: number, last: number, dump: boolean): Outcome {
    const failures: Failure[] = [];
    const answers: Message[] = [];
    for (;;) {
      const length = receiveInto(this.#fd, this.#answer, 0);
      if (length < 0) {
        return { status: length === -EAGAIN ? -ETIMEDOUT : length, failures, answers };
      }
      for (const message of readMessages(this.#answer.bytes.subarray(0, length))) {
        // Left over from a request that was not waited for to its end.
        if (message.sequence < first || message.sequence > last) continue;
        if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) {
          answers.push({ ...message, body: message.body.slice() });
          continue;
        }
        const reason = readAcknowledgement(message) ?? { status: -EBADMSG };
        const failed = reason.status < 0;
        if (failed) failures.push({ index: message.sequence - first, reason });
        const whole = failed && this.#atomic && message.sequence === first;
        if (message.sequence === last || whole || dump) {
          return { status: failures[0]?.reason.status ?? 0, failures, answers };
        }
      }
    }
  }
}
