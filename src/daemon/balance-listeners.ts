/**
 * The listening sockets of all frontends. The control role opens them and hands them to every
 * worker; each holder keeps them alive. So a worker that dies loses no waiting connection, a control
 * role that dies takes none along, and the next one gets them back from the workers that hold them. The memory of what workers
 * count and know together goes the same way.
 */

import { chmodSync, unlinkSync } from "node:fs";
import type { Bind } from "../core/proxy/frontend-settings.ts";
import { DescriptorBox, type PassedDescriptors } from "../drivers/fd-passing.ts";
import { closeFd, EADDRINUSE, errnoName, isOsFailure } from "../drivers/ffi.ts";
import { attachFilter, detachFilter, NO_NEWCOMERS } from "../drivers/packet-filter.ts";
import {
  bindName,
  isOnPort,
  listenAlone,
  openListener,
  openListenerBeside,
} from "../drivers/stream-listener.ts";
import { createWorkerMemory } from "../drivers/worker-memory.ts";
import type { WorkerLink } from "./balance-hub.ts";
import { WORKER_MEMORY } from "./balance-protocol.ts";

/** What a living worker may take to send all its sockets. */
const RETURN_WITHIN_MS = 2_000;

export class ListeningSockets {
  readonly boxPath: string;
  readonly #box: DescriptorBox;
  readonly #fds = new Map<string, number>();
  #took: (() => void) | undefined;

  readonly #absent: (name: string) => void;

  /** `absent` is told of addresses that this host does not have. Throws when there is no box. */
  constructor(boxPath: string, absent: (name: string) => void) {
    this.boxPath = boxPath;
    this.#absent = absent;
    const box = DescriptorBox.open(boxPath, (passed) => this.#take(passed));
    if (isOsFailure(box)) throw new Error(box.message);
    this.#box = box;
  }

  get names(): readonly string[] {
    return [...this.#fds.keys()].filter((name) => name !== WORKER_MEMORY);
  }

  /** With what is no socket. */
  get held(): readonly string[] {
    return [...this.#fds.keys()];
  }

  /** What workers need to count and know together. The answer is why they cannot. */
  openMemory(): string | undefined {
    if (this.#fds.has(WORKER_MEMORY)) return undefined;
    const fd = createWorkerMemory();
    if (typeof fd !== "number") return fd.message;
    this.#fds.set(WORKER_MEMORY, fd);
    return undefined;
  }

  /**
   * From workers of an earlier control process: all that any of them holds. One that drains has closed
   * its sockets already, one that is new may not have all of them yet.
   */
  async takeBack(workers: readonly WorkerLink[]): Promise<void> {
    for (const link of workers) {
      const { listening } = link.hello;
      const isBack = (): boolean => listening.every((name) => this.#fds.has(name));
      if (isBack()) continue;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, RETURN_WITHIN_MS);
      // Many come in several messages.
      this.#took = () => {
        if (isBack()) resolve();
      };
      link.send({ type: "send-listeners", box: this.boxPath });
      await promise;
      clearTimeout(timer);
    }
    this.#took = undefined;
  }

  /** Opens what is missing: all of it or nothing. The answer is what went wrong. */
  open(binds: readonly Bind[]): string | undefined {
    const opened: string[] = [];
    for (const bind of binds) {
      const name = bindName(bind);
      if (this.#fds.has(name)) continue;
      const fd = this.#open(bind);
      if (typeof fd === "number") {
        this.#fds.set(name, fd);
        opened.push(name);
        continue;
      }
      for (const other of opened) this.#close(other);
      this.#listenAlone();
      return fd.message;
    }
    return undefined;
  }

  /** Closes what is not wanted any more; a socket file goes with it. Those that stay may be used by whom it says now. */
  keepOnly(binds: readonly Bind[]): void {
    const wanted = new Set(binds.map(bindName));
    for (const name of this.names) if (!wanted.has(name)) this.#close(name);
    this.#listenAlone();
    for (const bind of binds) if (bind.kind === "unix") permit(bind.path, bind.mode);
  }

  /** Sends a worker what it does not have. The answer is what went wrong. */
  async giveTo(box: string, has: ReadonlySet<string>): Promise<string | undefined> {
    const missing = this.held.filter((name) => !has.has(name));
    const result = await this.#box.sendAll(box, missing, (name) => this.#fds.get(name));
    return result < 0 ? `cannot hand sockets to ${box}: ${errnoName(result)}` : undefined;
  }

  /**
   * The kernel drops whoever begins to connect, here and where else the sockets are held: the client
   * asks again after a second, and then whoever has the address by then.
   */
  holdBack(): void {
    for (const fd of this.#reachable) attachFilter(fd, NO_NEWCOMERS);
  }

  /** The end of `holdBack`. */
  letIn(): void {
    for (const fd of this.#reachable) detachFilter(fd);
  }

  /** The sockets live on where else they are held; socket files are removed with `forever`. */
  close(forever: boolean): void {
    for (const name of this.held) {
      if (forever) this.#close(name);
      else closeFd(this.#fds.get(name)!);
    }
    this.#fds.clear();
    this.#box.close();
  }

  /** A socket of ours may be in the way: `:80` of `192.0.2.1:80`, which is to take its place. */
  #open(bind: Bind): ReturnType<typeof openListener> {
    const absent = (): void => this.#absent(bindName(bind));
    const fd = openListener(bind, absent);
    if (typeof fd === "number" || bind.kind === "unix" || fd.errno !== EADDRINUSE) return fd;
    const others = this.names.filter((name) => isOnPort(name, bind.port));
    if (others.length === 0) return fd;
    return openListenerBeside(
      bind,
      others.map((name) => this.#fds.get(name)!),
      absent,
    );
  }

  #listenAlone(): void {
    for (const fd of this.#reachable) listenAlone(fd);
  }

  /** From elsewhere. */
  get #reachable(): number[] {
    return this.names.flatMap((name) => (name.startsWith("/") ? [] : [this.#fds.get(name)!]));
  }

  #take({ text, fds }: PassedDescriptors): void {
    const names = JSON.parse(text) as readonly string[];
    for (const [i, fd] of fds.entries()) {
      const name = names[i];
      if (name === undefined || this.#fds.has(name)) closeFd(fd);
      else this.#fds.set(name, fd);
    }
    this.#took?.();
  }

  #close(name: string): void {
    const fd = this.#fds.get(name);
    this.#fds.delete(name);
    if (fd !== undefined) closeFd(fd);
    if (!name.startsWith("/")) return;
    try {
      unlinkSync(name);
    } catch {
      // Gone already.
    }
  }
}

function permit(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch {
    // Somebody else has removed it.
  }
}
