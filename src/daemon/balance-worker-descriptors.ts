/**
 * What a worker holds open for all of them: listening sockets, and the memory of what they count
 * and know together. It comes from the control role, and goes back to one that is new.
 */

import type { Engine } from "../core/proxy/engine.ts";
import type { DescriptorBox } from "../drivers/fd-passing.ts";
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
    const memory = this.#memory === undefined ? [] : [WORKER_MEMORY];
    return [...memory, ...this.#fronts.sockets.keys()];
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
    const fdOf = (name: string): number | undefined =>
      name === WORKER_MEMORY ? this.#memory : this.#fronts.sockets.get(name);
    void box.sendAll(path, this.names, fdOf);
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
