/**
 * Virtual time: a binary heap of things to happen. Nothing else in the simulator moves the clock,
 * and equal times run in the order in which they were scheduled, so a run has one possible order.
 */
export class EventQueue {
  /** Milliseconds since the world began. */
  now = 0;
  readonly #heap: Entry[] = [];
  #sequence = 0;

  /** Runs `run` at `time`; a moment already past means "next", never "before now". */
  at(time: number, run: () => void): void {
    const entry = { time: Math.max(time, this.now), sequence: this.#sequence++, run };
    this.#heap.push(entry);
    this.#siftUp(this.#heap.length - 1);
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.now + delayMs, run);
  }

  /** When the next event is due; Infinity when there is none. */
  get nextTime(): number {
    return this.#heap[0]?.time ?? Infinity;
  }

  /** Moves the clock to the next event and runs it; false when nothing is left. */
  runNext(): boolean {
    const first = this.#heap[0];
    if (first === undefined) return false;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#siftDown(0);
    }
    this.now = first.time;
    first.run();
    return true;
  }

  #siftUp(from: number): void {
    const heap = this.#heap;
    const entry = heap[from]!;
    let i = from;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = entry;
  }

  #siftDown(from: number): void {
    const heap = this.#heap;
    const entry = heap[from]!;
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, entry)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = entry;
  }
}

interface Entry {
  readonly time: number;
  readonly sequence: number;
  readonly run: () => void;
}

function before(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.sequence < b.sequence);
}
