/**
 * What a worker holds open for all of them: listening sockets, and the memory where they count their
 * clients together. It comes from the control role, and goes back to one that is new.
 */

import type { Engine } from "../core/proxy/engine.ts";
import { MAX_PASSED, type DescriptorBox } from "../drivers/fd-passing.ts";
import { closeFd, isOsFailure } from "../drivers/ffi.ts";
import { SharedCounts } from "../drivers/shared-counts.ts";
import type { Fronts } from "./balance-fronts.ts";
import { GUEST_COUNTS } from "./balance-protocol.ts";

export class WorkerDescriptors {
  readonly #engine: Engine;
  readonly #fronts: Fronts;
  #counts: number | undefined;

  constructor(engine: Engine, fronts: Fronts) {
    this.#engine = engine;
    this.#fronts = fronts;
  }

  get names(): readonly string[] {
    return this.#all.map(([name]) => name);
  }

  /** They are ours from now on. The answer is why this worker counts its clients alone. */
  take(names: readonly string[], fds: readonly number[]): string | undefined {
    const at = names.indexOf(GUEST_COUNTS);
    // Before the doors open.
    const alone = at < 0 ? undefined : this.#countIn(fds[at]!);
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
    const counts = this.#counts;
    return [
      ...(counts === undefined ? [] : [[GUEST_COUNTS, counts] as const]),
      ...this.#fronts.sockets,
    ];
  }

  #countIn(fd: number): string | undefined {
    if (this.#counts !== undefined) {
      closeFd(fd);
      return undefined;
    }
    this.#counts = fd;
    const counts = SharedCounts.join(fd);
    if (isOsFailure(counts)) return counts.message;
    this.#engine.shareGuests((frontend) => counts.of(frontend));
    return undefined;
  }
}
