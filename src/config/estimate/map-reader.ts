/** Takes the keys of one map, and tells those that nobody asked for. */

import { closest } from "../../lib/spelling.ts";
import type { Findings, Place } from "../diagnostic.ts";
import { type MapNode, placeOf, type TreeNode } from "../service/document/tree.ts";
import type { Converted } from "../service/schema/kinds.ts";

export class MapReader {
  readonly at: Place;
  readonly #map: MapNode;
  readonly #findings: Findings;

  constructor(map: MapNode, findings: Findings) {
    this.#map = map;
    this.#findings = findings;
    this.at = map.key ?? map.at;
  }

  has(key: string): boolean {
    return this.#map.entries.has(key);
  }

  node(key: string): TreeNode | undefined {
    return this.#map.entries.get(key);
  }

  /** Undefined: not there, or wrong, which was told. */
  get<T>(key: string, read: (text: string) => Converted<T>): T | undefined {
    const node = this.node(key);
    if (node === undefined) return undefined;
    if (node.kind !== "scalar") {
      this.#findings.error(placeOf(node), `${key} takes one value`, `write: ${key}: VALUE`);
      return undefined;
    }
    const result = read(node.text);
    if (result.ok) return result.value;
    this.#findings.error(node.at, `${key}: ${result.reason}`, result.next);
    return undefined;
  }

  /** One text, or a list of them. */
  texts(key: string): string[] | undefined {
    const node = this.node(key);
    if (node === undefined) return undefined;
    const items = node.kind === "list" ? node.items : [node];
    const texts = items.flatMap((item) =>
      item.kind === "scalar" && item.text !== "" ? item.text : [],
    );
    if (texts.length === items.length && texts.length > 0) return texts;
    this.#findings.error(placeOf(node), `${key} takes names`, `write: ${key}: [NAME, NAME]`);
    return undefined;
  }

  allow(what: string, known: readonly string[]): void {
    for (const [key, node] of this.#map.entries) {
      if (known.includes(key)) continue;
      const near = closest(key, known);
      const next =
        near === undefined ? `its keys are: ${known.join(" ")}` : `did you mean '${near}'?`;
      this.#findings.error(node.key ?? node.at, `${what} has no key '${key}'`, next);
    }
  }
}
