/**
 * sd_notify(3): tells systemd that the service is ready, reloading, stopping or alive. A unix
 * datagram, which Node cannot send.
 */

import * as ffi from "./ffi.ts";

/** Offset of `sun_path` in `sockaddr_un`, and its size. */
const PATH_OFFSET = 2;
const PATH_SIZE = 108;
/** `struct msghdr`: name, name length, iov, iov count, control, control length, flags. */
const MSGHDR_SIZE = 56;

/**
 * Sends `state`, e.g. `READY=1`. `socketPath` is `$NOTIFY_SOCKET`; a leading `@` means the
 * abstract namespace. 0, or `-errno` when nobody listens.
 */
export function sdNotify(socketPath: string, state: string): number {
  const path = Buffer.from(socketPath);
  if (path.length === 0 || path.length >= PATH_SIZE) return -ffi.EINVAL;
  const fd = ffi.openSocket(ffi.AF_UNIX, ffi.SOCK_DGRAM, 0);
  if (fd < 0) return fd;
  const address = new ffi.NativeMemory(PATH_OFFSET + PATH_SIZE);
  address.view.setUint16(0, ffi.AF_UNIX, true);
  address.bytes.set(path, PATH_OFFSET);
  if (path[0] === 0x40) address.bytes[PATH_OFFSET] = 0;

  const text = Buffer.from(state);
  const payload = new ffi.NativeMemory(text.length);
  payload.bytes.set(text);
  const vector = new ffi.NativeMemory(16);
  vector.setPointer(0, payload.address);
  vector.view.setUint32(8, text.length, true);

  const header = new ffi.NativeMemory(MSGHDR_SIZE);
  header.setPointer(0, address.address);
  header.view.setUint32(8, PATH_OFFSET + path.length, true);
  header.setPointer(16, vector.address);
  header.view.setUint32(24, 1, true);
  const sent = ffi.sendMessage(fd, header.address, ffi.MSG_DONTWAIT);
  ffi.closeFd(fd);
  return sent < 0 ? sent : 0;
}
