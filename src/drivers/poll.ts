/**
 * Readiness of descriptors that Node itself cannot watch, through libuv's `uv_poll` (koffi has
 * it built in): about 3 us from the kernel's event to the callback, where a worker or an
 * asynchronous FFI call costs 60 to 120 us.
 *
 * Traps, and what is done about them:
 * - The callback is entered from C without Node's callback scope. Microtasks and `nextTick`
 *   do not run when it returns but whenever the loop next enters JavaScript, perhaps a second
 *   later. Work synchronously, or hand over with `setImmediate`; never `await` in a callback nor
 *   settle a promise. (An automatic hand-over would cost every advert 10 to 50 us.)
 * - An exception would stay pending in the environment and surface at some later, unrelated
 *   call. It is caught and thrown again from `setImmediate`, so the process dies of it at once.
 * - The handle stops when it is garbage collected: `watched` keeps it until `close`.
 * - uv_poll is level triggered: a callback that leaves the descriptor readable is called again
 *   in the next turn of the loop. The descriptor must stay open until after `close`.
 */

import { node } from "koffi";

export interface Watch {
  /** Ends the watch; the caller closes the descriptor afterwards. A second call does nothing. */
  close(): void;
}

const watched = new Set<object>();

/**
 * Calls `onReadable` whenever `fd` is readable, or has an error or a hang-up to be read.
 * Throws only for a bug: a descriptor that is closed, a regular file, or watched already.
 */
export function watchReadable(fd: number, onReadable: () => void): Watch {
  let open = true;
  const handle = node.poll(fd, () => {
    if (!open) return;
    try {
      onReadable();
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
  });
  watched.add(handle);
  return {
    close(): void {
      if (!open) return;
      open = false;
      watched.delete(handle);
      handle.close();
    },
  };
}
