/**
 * The deadlines of many machines side by side. All of them are looked through when the earliest
 * was put off, while the machines lie all over the memory: asking 100 instances took 7 us.
 */
export class DeadlineRow {
  #atMs = new Float64Array(0);
  #earliest = Infinity;
  /** Somebody may be earlier than `#earliest` says by now: who was the earliest was put off. */
  #isOpen = false;

  /** Infinity when there is none. */
  get earliest(): number {
    if (this.#isOpen) this.#lookThrough();
    return this.#earliest;
  }

  at(place: number): number {
    return this.#atMs[place]!;
  }

  note(place: number, atMs: number): void {
    if (atMs <= this.#earliest) this.#earliest = atMs;
    else if (this.#atMs[place] === this.#earliest) this.#isOpen = true;
    this.#atMs[place] = atMs;
  }

  /** Does nothing when it has that length; else forgets all deadlines. */
  resize(length: number): void {
    if (this.#atMs.length === length) return;
    this.#atMs = new Float64Array(length).fill(Infinity);
    this.#earliest = Infinity;
    this.#isOpen = false;
  }

  #lookThrough(): void {
    let earliest = Infinity;
    for (let i = 0; i < this.#atMs.length; i++) {
      if (this.#atMs[i]! < earliest) earliest = this.#atMs[i]!;
    }
    this.#earliest = earliest;
    this.#isOpen = false;
  }
}
