/**
 * One moment per connection, coarse and cheap. To move a moment later is one write: the node stays
 * where it hangs and is hung again when its old slot comes round. A moment is met up to one tick
 * late and never early.
 */

/** Resolution of all time-outs of the proxy. */
export const TICK_MS = 64;
/** 1024 x 64 ms: what is further away is hung again once a minute. */
const SLOTS = 1024;

/** Base of whatever waits for a moment. */
export abstract class Timed {
  /** Set by the wheel; Infinity = nothing to wait for. */
  dueAt: number = Infinity;
  /** The wheel's own: where this hangs. -1 = nowhere. */
  wheelTick = -1;
  wheelNext: Timed = this;
  wheelPrevious: Timed = this;

  abstract due(now: number): void;
}

class Sentinel extends Timed {
  due(): void {}
}

export class TimerWheel {
  readonly #slots: Timed[] = Array.from({ length: SLOTS }, () => new Sentinel());
  readonly #firing = new Sentinel();
  #tick: number;
  /** No slot before this one holds a node. */
  #nextTick = Infinity;
  #hanging = 0;

  constructor(now: number) {
    this.#tick = Math.floor(now / TICK_MS);
  }

  /** Asks for `node.due` at `at`, instead of whatever was asked for before. */
  set(node: Timed, at: number): void {
    node.dueAt = at;
    if (at === Infinity) return;
    const tick = this.#slotTick(at);
    if (node.wheelTick !== -1) {
      if (node.wheelTick <= tick) return;
      this.#unhang(node);
    }
    this.#hang(node, tick);
  }

  /** Takes the node off for good, so that nothing keeps it alive. */
  remove(node: Timed): void {
    node.dueAt = Infinity;
    if (node.wheelTick !== -1) this.#unhang(node);
  }

  /** Earliest moment at which `wake` may have something to do; Infinity when nothing hangs. */
  get deadline(): number {
    return this.#nextTick * TICK_MS;
  }

  wake(now: number): void {
    const to = Math.floor(now / TICK_MS);
    const from = Math.max(this.#nextTick, to - SLOTS + 1);
    if (from > to) return;
    this.#tick = to;
    for (let tick = from; tick <= to; tick++) this.#fire(this.#slot(tick), now);
    this.#nextTick = this.#findNext();
  }

  /** Nodes on the wheel: for gauges and tests. */
  get hanging(): number {
    return this.#hanging;
  }

  #fire(slot: Timed, now: number): void {
    const firing = this.#firing;
    if (slot.wheelNext === slot) return;
    // The slot is emptied first: what `due` asks for may hang in the same one, a round later.
    firing.wheelNext = slot.wheelNext;
    firing.wheelPrevious = slot.wheelPrevious;
    firing.wheelNext.wheelPrevious = firing;
    firing.wheelPrevious.wheelNext = firing;
    slot.wheelNext = slot;
    slot.wheelPrevious = slot;
    while (firing.wheelNext !== firing) {
      const node = firing.wheelNext;
      this.#unhang(node);
      if (node.dueAt <= now) {
        node.dueAt = Infinity;
        node.due(now);
      } else if (node.dueAt !== Infinity) {
        this.#hang(node, this.#slotTick(node.dueAt));
      }
    }
  }

  #slotTick(at: number): number {
    const tick = Math.ceil(at / TICK_MS);
    return Math.min(Math.max(tick, this.#tick + 1), this.#tick + SLOTS - 1);
  }

  #hang(node: Timed, tick: number): void {
    const slot = this.#slot(tick);
    node.wheelTick = tick;
    node.wheelPrevious = slot.wheelPrevious;
    node.wheelNext = slot;
    slot.wheelPrevious.wheelNext = node;
    slot.wheelPrevious = node;
    this.#hanging++;
    if (tick < this.#nextTick) this.#nextTick = tick;
  }

  #unhang(node: Timed): void {
    node.wheelPrevious.wheelNext = node.wheelNext;
    node.wheelNext.wheelPrevious = node.wheelPrevious;
    node.wheelNext = node;
    node.wheelPrevious = node;
    node.wheelTick = -1;
    this.#hanging--;
  }

  #slot(tick: number): Timed {
    return this.#slots[tick % SLOTS] as Timed;
  }

  #findNext(): number {
    if (this.#hanging === 0) return Infinity;
    let tick = this.#tick + 1;
    while (this.#slot(tick).wheelNext === this.#slot(tick)) tick++;
    return tick;
  }
}
