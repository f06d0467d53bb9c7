/**
 * The kernel's process events (cn_proc): who forked, ran another program or took another name.
 * Only the initial network namespace has them, and only for the privileged; elsewhere `open`
 * says why not and the caller looks into /proc now and then.
 */

import * as ffi from "./ffi.ts";
import { watchReadable, type Watch } from "./poll.ts";

const AF_NETLINK = 16;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const NETLINK_CONNECTOR = 11;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
/** linux/connector.h: both the id and the multicast group of process events. */
const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;
const PROC_CN_MCAST_LISTEN = 1;
const NLMSG_DONE = 3;
const ENOBUFS = 105;

/** linux/cn_proc.h. Exits are not among them: pidfds tell those, sooner and more surely. */
const PROC_EVENT_FORK = 0x00000001;
const PROC_EVENT_EXEC = 0x00000002;
const PROC_EVENT_COMM = 0x00000200;

/** nlmsghdr 16, cn_msg 20, then proc_event: what, cpu, timestamp, data. */
const NETLINK_HEADER = 16;
const EVENT = NETLINK_HEADER + 20;
const EVENT_DATA = EVENT + 16;
const RECEIVE_BUFFER = 1 << 20;
/** Events per wake: a fork storm must not hold the event loop. */
const MAX_EVENTS = 1000;

export interface ProcessConnector {
  close(): void;
}

export interface ProcessConnectorEvents {
  /** `pid` is new or is another program now. */
  changed(pid: number): void;
  /** Events were lost: look at all processes. */
  lost(): void;
}

export function openProcessConnector(
  events: ProcessConnectorEvents,
): ProcessConnector | ffi.OsFailure {
  const fd = ffi.openSocket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK, NETLINK_CONNECTOR);
  if (fd < 0) return ffi.osFailure("open the process connector", fd);
  ffi.setSocketOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER);
  const subscribed = subscribe(fd);
  if (subscribed < 0) {
    ffi.closeFd(fd);
    return ffi.osFailure("subscribe to process events", subscribed);
  }
  const buffer = new Uint8Array(512);
  const watch: Watch = watchReadable(fd, () => {
    for (let i = 0; i < MAX_EVENTS; i++) {
      const length = ffi.receive(fd, buffer, 0);
      if (length === -ENOBUFS) events.lost();
      else if (length < 0) return;
      else tell(buffer, length, events);
    }
  });
  return {
    close(): void {
      watch.close();
      ffi.closeFd(fd);
    },
  };
}

function subscribe(fd: number): number {
  const address = new Uint8Array(12);
  const addressView = new DataView(address.buffer);
  addressView.setUint16(0, AF_NETLINK, true);
  addressView.setUint32(8, CN_IDX_PROC, true);
  const bound = ffi.bindSocket(fd, address);
  if (bound < 0) return bound;
  const request = new Uint8Array(EVENT + 4);
  const view = new DataView(request.buffer);
  view.setUint32(0, request.length, true);
  view.setUint16(4, NLMSG_DONE, true);
  view.setUint32(16, CN_IDX_PROC, true);
  view.setUint32(20, CN_VAL_PROC, true);
  view.setUint16(32, 4, true);
  view.setUint32(EVENT, PROC_CN_MCAST_LISTEN, true);
  return ffi.send(fd, request, request.length, 0);
}

function tell(buffer: Uint8Array, length: number, events: ProcessConnectorEvents): void {
  if (length < EVENT_DATA + 8) return;
  const view = new DataView(buffer.buffer, 0, length);
  switch (view.getUint32(EVENT, true)) {
    case PROC_EVENT_FORK: {
      const childPid = view.getInt32(EVENT_DATA + 8, true);
      const childGroup = view.getInt32(EVENT_DATA + 12, true);
      // A new thread is a fork too: its thread group is not its own.
      if (childPid === childGroup) events.changed(childPid);
      break;
    }
    case PROC_EVENT_EXEC:
    case PROC_EVENT_COMM:
      events.changed(view.getInt32(EVENT_DATA + 4, true));
      break;
    default:
  }
}
