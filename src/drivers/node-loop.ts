/**
 * Waiting in libuv's place, as its manual means it for loops that are embedded in another: libuv's own epoll
 * descriptor is readable when there is something for libuv, so whoever lives from many other descriptors puts it
 * among them and waits for all with one call. Otherwise each wake-up is paid twice, by libuv's epoll set and
 * by the one within it, and once more to fall asleep.
 *
 * Each turn of libuv's loop comes to `wait` before libuv looks at its descriptors, and libuv then does so without
 * waiting: an idle handle forbids it, which stops itself in the next turn, so that `uv_backend_timeout`
 * tells what libuv would have waited. docs.libuv.org, "uv_backend_fd", "uv_backend_timeout", "uv_prepare_t".
 *
 * As with `poll.ts`, `wait` is entered from C: microtasks and `nextTick` do not run when it returns. For
 * `performance.eventLoopUtilization` and CPU profiles the waiting is work: libuv does not know of it.
 */

import { isMainThread } from "node:worker_threads";
import { load, pointer, proto, register, type LibraryHandle } from "koffi";
import { NativeMemory } from "./ffi.ts";
import { callSafely } from "./poll.ts";

export interface NodeLoop {
  /** Readable when libuv has something to do; not to be closed. */
  readonly fd: number;
  /** For how long libuv has nothing to do but look at its descriptors: milliseconds, -1 = for ever. */
  patience(): number;
  /** libuv waits itself again. A second call does nothing. */
  close(): void;
}

/** `uv_handle_type`: part of libuv's stable ABI. */
const UV_IDLE = 6;
const UV_PREPARE = 9;

/** Who waits now. */
let waiting: (() => void) | undefined;
let opened: Libuv | undefined;

/**
 * Calls `wait` in each turn of Node's loop; it is to wait until `fd` is readable, but no longer than
 * `patience` tells. Does not keep the process alive. Throws when somebody leads already. Undefined where this node
 * hides its libuv, and in threads, whose loop is not the one that `uv_default_loop` tells.
 */
export function leadNode(wait: () => void): NodeLoop | undefined {
  if (!isMainThread) return undefined;
  if (waiting !== undefined) throw new Error("somebody waits in Node's place already");
  opened ??= openLibuv();
  if (opened === undefined) return undefined;
  const uv = opened;
  waiting = wait;
  uv.startPrepare();
  return {
    fd: uv.fd,
    patience: uv.patience,
    close(): void {
      if (waiting !== wait) return;
      waiting = undefined;
      uv.stop();
    },
  };
}

interface Libuv extends Pick<NodeLoop, "fd" | "patience"> {
  readonly startPrepare: () => void;
  readonly stop: () => void;
}

/** Once: the two handles stay for good. Undefined when this node does not export what is needed. */
function openLibuv(): Libuv | undefined {
  const program = load(null);
  try {
    const loop: number = program.func("uintptr_t uv_default_loop()")();
    const idle = new Handle(program, "idle", UV_IDLE);
    const prepare = new Handle(program, "prepare", UV_PREPARE);
    const idleStop: bigint = program.symbol("uv_idle_stop");
    const updateTime = program.func("void uv_update_time(uintptr_t loop)");
    const backendTimeout = program.func("int uv_backend_timeout(uintptr_t loop)");
    const fd: number = program.func("int uv_backend_fd(uintptr_t loop)")(loop);
    const callback = pointer(proto("void NinesPrepareCallback(uintptr_t handle)"));
    const prepared = register(() => {
      if (waiting === undefined) return;
      callSafely(waiting);
      if (waiting !== undefined) idle.start(idleStop);
    }, callback);
    // Last: libuv keeps their addresses, so nothing may fail any more.
    idle.init(loop);
    prepare.init(loop);
    return {
      fd,
      patience(): number {
        updateTime(loop);
        return backendTimeout(loop);
      },
      startPrepare: () => prepare.start(prepared),
      stop(): void {
        idle.stop();
        prepare.stop();
      },
    };
  } catch {
    return undefined;
  }
}

/** A `uv_idle_t` or a `uv_prepare_t`. */
class Handle {
  readonly #memory: NativeMemory;
  readonly #init: (loop: number, handle: number) => number;
  readonly #unref: (handle: number) => void;
  readonly #start: (handle: number, callback: bigint) => number;
  readonly #stop: (handle: number) => number;

  /** Throws when `program` does not export what belongs to it. */
  constructor(program: LibraryHandle, name: string, type: number) {
    this.#memory = new NativeMemory(program.func("size_t uv_handle_size(int type)")(type));
    this.#init = program.func(`int uv_${name}_init(uintptr_t loop, uintptr_t handle)`);
    this.#unref = program.func("void uv_unref(uintptr_t handle)");
    this.#start = program.func(`int uv_${name}_start(uintptr_t handle, uintptr_t callback)`);
    this.#stop = program.func(`int uv_${name}_stop(uintptr_t handle)`);
  }

  /** Before it is started, and so for ever: it does not keep the process alive. */
  init(loop: number): void {
    this.#init(loop, this.#memory.address);
    this.#unref(this.#memory.address);
  }

  start(callback: bigint): void {
    this.#start(this.#memory.address, callback);
  }

  stop(): void {
    this.#stop(this.#memory.address);
  }
}
