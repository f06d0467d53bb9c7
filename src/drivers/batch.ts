/**
 * A list that is filled and emptied again in every turn, and keeps its room. An array whose length is set to
 * 0 gives its room back, and grows anew in three or four steps next time.
 */
export class Batch<Item> {
  readonly #items: (Item | undefined)[] = [];
  length = 0;

  push(item: Item): void {
    this.#items[this.length++] = item;
  }

  /** One that was pushed: `index` is below `length`. */
  at(index: number): Item {
    return this.#items[index] as Item;
  }

  /** Keeps nobody from being collected. */
  clear(): void {
    for (let i = 0; i < this.length; i++) this.#items[i] = undefined;
    this.length = 0;
  }
}
