/** A YAML file as this folder hands it on: lists, maps and scalars that know where they stand. */

import type { Place } from "../../diagnostic.ts";

interface Located {
  /** Where the value starts. */
  readonly at: Place;
  /** Where its key stands; absent in lists and for the whole file. */
  readonly key?: Place;
}

export interface MapNode extends Located {
  readonly kind: "map";
  readonly entries: Map<string, TreeNode>;
}

export interface ListNode extends Located {
  readonly kind: "list";
  readonly items: readonly TreeNode[];
}

export interface ScalarNode extends Located {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** As written, without quotes: what a key gets that wants text, so that `0123` stays `0123`. */
  readonly text: string;
  /** Without quotes: its text may become a number once variables are replaced. */
  readonly plain: boolean;
}

export type TreeNode = MapNode | ListNode | ScalarNode;

/** What a message points at: the value when it is a scalar, else the key that leads to it. */
export function placeOf(node: TreeNode): Place {
  return node.kind === "scalar" ? node.at : (node.key ?? node.at);
}

/** The child under that key or index. */
export function childOf(node: TreeNode, key: string | number): TreeNode | undefined {
  if (node.kind === "map") return node.entries.get(String(key));
  return node.kind === "list" ? node.items[Number(key)] : undefined;
}
