/**
 * Which of many machines wants to be woken first. A changed deadline is pushed again; entries that
 * are out of date are dropped when they come up.
 */
export interface Waiting {
  readonly deadline: number;
}

export class DeadlineHeap<T extends Waiting> {
  readonly #at: number[] = [];
  readonly #items: T[] = [];

  /** To be called whenever an item's deadline changed. */
  push(item: T): void {
    const at = item.deadline;
    if (at === Infinity) return;
    let i = this.#at.length;
    this.#at.push(at);
    this.#items.push(item);
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (this.#at[up]! <= at) break;
      this.#move(up, i);
      i = up;
    }
    this.#at[i] = at;
    this.#items[i] = item;
  }

  /** The earliest deadline; Infinity = none. */
  get deadline(): number {
    while (this.#at.length > 0 && this.#items[0]!.deadline !== this.#at[0]) this.#removeFirst();
    return this.#at[0] ?? Infinity;
  }

  /** Takes out the first item that is due; push it again after its step. */
  takeDue(now: number): T | undefined {
    if (this.deadline > now) return undefined;
    const first = this.#items[0];
    this.#removeFirst();
    return first;
  }

  #removeFirst(): void {
    const at = this.#at.pop()!;
    const item = this.#items.pop()!;
    const size = this.#at.length;
    if (size === 0) return;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= size) break;
      if (down + 1 < size && this.#at[down + 1]! < this.#at[down]!) down++;
      if (this.#at[down]! >= at) break;
      this.#move(down, i);
      i = down;
    }
    this.#at[i] = at;
    this.#items[i] = item;
  }

  #move(from: number, to: number): void {
    this.#at[to] = this.#at[from]!;
    this.#items[to] = this.#items[from]!;
  }
}
