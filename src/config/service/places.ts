/** Where each part of the data was written: messages of every later step point into the file. */

import type { Place } from "../diagnostic.ts";
import { childOf, placeOf, type TreeNode } from "./document/tree.ts";

export class Places {
  readonly #nodes = new WeakMap<object, TreeNode>();
  readonly #start: Place;

  constructor(file: string) {
    this.#start = { file, line: 1, column: 1, text: "" };
  }

  /** `data` was made of `node`. */
  remember(data: object, node: TreeNode): void {
    this.#nodes.set(data, node);
  }

  nodeOf(data: object): TreeNode | undefined {
    return this.#nodes.get(data);
  }

  /** The thing itself: the key that it stands under, or the text that it was made of. */
  of(data: object): Place {
    const node = this.#nodes.get(data);
    return node === undefined ? this.#start : placeOf(node);
  }

  /** The value under a key; the thing itself when the key was not written. */
  at(data: object, key: string | number): Place {
    const node = this.#nodes.get(data);
    const child = node === undefined ? undefined : childOf(node, key);
    return child === undefined ? this.of(data) : placeOf(child);
  }

  /** The key itself, not its value. */
  key(data: object, key: string): Place {
    const node = this.#nodes.get(data);
    const child = node === undefined ? undefined : childOf(node, key);
    return child?.key ?? this.at(data, key);
  }

  /** Whether the user wrote it, or it is a default. */
  wrote(data: object, key: string): boolean {
    const node = this.#nodes.get(data);
    return node?.kind === "map" && node.entries.has(key);
  }
}
