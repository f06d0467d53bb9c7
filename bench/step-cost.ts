/** What one step of a machine costs in time and memory. The process must run with `--expose-gc`. */

import { getHeapStatistics } from "node:v8";

/** Enough for the compiler to have done its work. */
export const WARM_UP = 50_000;

export interface Cost {
  readonly ns: number;
  /** Allocated, collected or not. */
  readonly bytes: number;
  /** What is left of it when all garbage is collected, over the whole run. */
  readonly bytesKept: number;
}

/** Per step, after a warm-up. */
export function stepCost(count: number, step: () => void): Cost {
  for (let i = 0; i < WARM_UP; i++) step();
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;
  const allocated = allocatedBytes();
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) step();
  const ns = Number(process.hrtime.bigint() - start);
  const bytes = allocatedBytes() - allocated;
  globalThis.gc?.();
  const bytesKept = process.memoryUsage().heapUsed - heap;
  return { ns: ns / count, bytes: bytes / count, bytesKept };
}

function allocatedBytes(): number {
  return getHeapStatistics().total_allocated_bytes;
}
