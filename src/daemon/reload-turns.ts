/**
 * Reloads one after the other: two at once would close each other's sockets. One that has not begun
 * reads the file when it begins, so it does for everybody who asks meanwhile. None before the node has
 * begun, and none when it ends.
 */

import type { Reloaded } from "./control-api.ts";

const ENDING: Reloaded = { reloaded: false, diagnostics: ["this node is stopping"] };

export class ReloadTurns {
  readonly #work: () => Promise<Reloaded>;
  readonly #begun = Promise.withResolvers<void>();
  #turn: Promise<unknown> = this.#begun.promise;
  #next: Promise<Reloaded> | undefined;
  #isOver = false;

  constructor(work: () => Promise<Reloaded>) {
    this.#work = work;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  open(): void {
    this.#begun.resolve();
  }

  /** Whoever waits and whoever comes is refused. */
  close(): void {
    this.#isOver = true;
    this.#begun.resolve();
  }

  ask(): Promise<Reloaded> {
    this.#next ??= this.#take();
    return this.#next;
  }

  #take(): Promise<Reloaded> {
    const mine = this.#turn.then(() => {
      this.#next = undefined;
      return this.#isOver ? ENDING : this.#work();
    });
    this.#turn = mine.catch(() => {});
    return mine;
  }
}
