/**
 * What a worker holds open for all of them: listening sockets, and the memory of what they count
 * and know together. It comes from the control role, and goes back to one that is new.
 */

import type { Engine } from "../core/proxy/engine.ts";
import { MAX_PASSED, type DescriptorBox } from "../drivers/fd-passing.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { closeFd, isOsFailure } from "../drivers/ffi.ts";
import { WorkerMemory } from "../drivers/worker-memory.ts";
import type { Fronts } from "./balance-fronts.ts";
import { WORKER_MEMORY } from "./balance-protocol.ts";

export class WorkerDescriptors {
  readonly #engine: Engine;
  readonly #fronts: Fronts;
  #memory: number | undefined;

  constructor(engine: Engine, fronts: Fronts) {
    this.#engine = engine;
    this.#fronts = fronts;
  }

  get names(): readonly string[] {
    return this.#all.map(([name]) => name);
  }

  /** They are ours from now on. The answer is why this worker counts alone. */
  take(names: readonly string[], fds: readonly number[]): string | undefined {
    const at = names.indexOf(WORKER_MEMORY);
    // Before the doors open.
    const alone = at < 0 ? undefined : this.#share(fds[at]!);
    const isSocket = (_: unknown, i: number): boolean => i !== at;
    this.#fronts.take(names.filter(isSocket), fds.filter(isSocket));
    return alone;
  }

  send(box: DescriptorBox, path: string): void {
    const all = this.#all;
    for (let i = 0; i < Math.max(1, all.length); i += MAX_PASSED) {
      const part = all.slice(i, i + MAX_PASSED);
      const names = JSON.stringify(part.map(([name]) => name));
      box.send(
        path,
        names,
        part.map(([, fd]) => fd),
      );
    }
  }

  get #all(): readonly (readonly [name: string, fd: number])[] {
    const memory = this.#memory;
    return [
      ...(memory === undefined ? [] : [[WORKER_MEMORY, memory] as const]),
      ...this.#fronts.sockets,
    ];
  }

  #share(fd: number): string | undefined {
    if (this.#memory !== undefined) {
      closeFd(fd);
      return undefined;
    }
    this.#memory = fd;
    const memory = WorkerMemory.join(fd);
    if (isOsFailure(memory)) return memory.message;
    this.#engine.share(monotonicMs(), memory);
    return undefined;
  }
}
