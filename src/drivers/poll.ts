/**
 * Readiness of descriptors that Node itself cannot watch, through libuv's `uv_poll`: a few
 * microseconds from the kernel's event to the callback, where a worker or an asynchronous FFI call
 * costs 60 to 120 us.
 *
 * The node binary exports libuv, so it is called directly, and all watches share one
 * C callback, which is given the handle. koffi's own `node.poll` makes an object with three named
 * properties for every call; it is used where a symbol is missing (a node linked to a libuv that
 * it hides) and outside of the main thread, whose loop is the one that `uv_default_loop` tells.
 *
 * Traps, and what is done about them:
 * - The callback is entered from C without Node's callback scope. Microtasks and `nextTick`
 *   do not run when it returns but whenever the loop next enters JavaScript, perhaps a second
 *   later. Work synchronously, or hand over with `setImmediate`; never `await` in a callback nor
 *   settle a promise. (An automatic hand-over would cost every advert 10 to 50 us.)
 * - An exception would stay pending in the environment and surface at some later, unrelated
 *   call. It is caught and thrown again from `setImmediate`, so the process dies of it at once.
 * - libuv keeps the handle's address until its close callback: `handles` keeps the memory as long.
 * - An error that waits on a descriptor ends uv_poll's watch after one call. It is begun anew; the callback reads
 *   the error, or it is called for ever.
 * - uv_poll is level triggered: a callback that leaves the descriptor readable is called again
 *   in the next turn of the loop. The descriptor must stay open until after `close`.
 */

import { isMainThread } from "node:worker_threads";
import { load, node, pointer, proto, register } from "koffi";
import { NativeMemory, osFailure } from "./ffi.ts";

export interface Watch {
  /** Ends the watch; the caller closes the descriptor afterwards. A second call does nothing. */
  close(): void;
}

/**
 * Calls `onReadable` whenever `fd` is readable, or has an error or a hang-up to be read.
 * Throws only for a bug: a descriptor that is closed, a regular file, or watched already.
 */
export function watchReadable(fd: number, onReadable: () => void): Watch {
  return libuv === undefined ? watchWithKoffi(fd, onReadable) : watchWith(libuv, fd, onReadable);
}

/** `uv_handle_type`, `enum uv_poll_event`: part of libuv's stable ABI. */
const UV_POLL = 8;
const UV_READABLE = 1;

interface Libuv {
  readonly loop: number;
  readonly handleSize: number;
  readonly init: (loop: number, handle: number, fd: number) => number;
  readonly start: (handle: number, events: number, callback: bigint) => number;
  readonly close: (handle: number, callback: bigint) => void;
  readonly readable: bigint;
  readonly closed: bigint;
}

interface Handle {
  readonly memory: NativeMemory;
  /** Undefined from `close` on. */
  onReadable: (() => void) | undefined;
}

/** By address, until libuv has let go of it. */
const handles = new Map<number, Handle>();
const libuv = isMainThread ? openLibuv() : undefined;

/** Undefined when this node does not export what is needed. */
function openLibuv(): Libuv | undefined {
  const program = load(null);
  try {
    // The events that follow are of no use here; not to name them spares their conversion.
    const polled = pointer(proto("void NinesPollCallback(uintptr_t handle, int status)"));
    const callback = pointer(proto("void NinesHandleCallback(uintptr_t handle)"));
    return {
      loop: program.func("uintptr_t uv_default_loop()")(),
      handleSize: program.func("size_t uv_handle_size(int type)")(UV_POLL),
      init: program.func("int uv_poll_init(uintptr_t loop, uintptr_t handle, int fd)"),
      start: program.func("int uv_poll_start(uintptr_t handle, int events, uintptr_t callback)"),
      close: program.func("void uv_close(uintptr_t handle, uintptr_t callback)"),
      readable: register(handleReadable, polled),
      closed: register((address: number) => handles.delete(address), callback),
    };
  } catch {
    return undefined;
  }
}

function handleReadable(address: number, status: number): void {
  const handle = handles.get(address);
  if (handle?.onReadable === undefined) return;
  callSafely(handle.onReadable);
  // After an error (a link that went down, a netlink socket that overflowed) libuv watches no more.
  if (status < 0 && libuv !== undefined && handles.get(address)?.onReadable !== undefined) {
    libuv.start(address, UV_READABLE, libuv.readable);
  }
}

function watchWith(uv: Libuv, fd: number, onReadable: () => void): Watch {
  const memory = new NativeMemory(uv.handleSize);
  const { address } = memory;
  const initialized = uv.init(uv.loop, address, fd);
  if (initialized < 0) throw new Error(osFailure(`watch descriptor ${fd}`, initialized).message);
  const handle: Handle = { memory, onReadable };
  handles.set(address, handle);
  const started = uv.start(address, UV_READABLE, uv.readable);
  const watch: Watch = {
    close(): void {
      if (handle.onReadable === undefined) return;
      handle.onReadable = undefined;
      uv.close(address, uv.closed);
    },
  };
  if (started === 0) return watch;
  watch.close();
  throw new Error(osFailure(`watch descriptor ${fd}`, started).message);
}

/** A handle of koffi stops when it is garbage collected: kept here until `close`. */
const koffiHandles = new Set<object>();

export function watchWithKoffi(fd: number, onReadable: () => void): Watch {
  let open = true;
  const handle = node.poll(fd, (events) => called(events.readable));
  const called = (isReadable: boolean): void => {
    if (open) callSafely(onReadable);
    if (open && !isReadable) handle.start((events) => called(events.readable));
  };
  koffiHandles.add(handle);
  return {
    close(): void {
      if (!open) return;
      open = false;
      koffiHandles.delete(handle);
      handle.close();
    },
  };
}

/** What it throws ends the process at once, and not at some later call. */
export function callSafely(body: () => void): void {
  try {
    body();
  } catch (error) {
    setImmediate(() => {
      throw error;
    });
  }
}
