/** Elements without a compiler: `el("p", { class: "note" }, text)`. Text is always escaped. */

import { h, type ComponentChildren, type ComponentType, type VNode } from "preact";

/** Attributes and handlers. `undefined` and `false` leave an attribute out. */
export type Attributes = Readonly<
  Record<
    string,
    string | number | boolean | undefined | null | object | ((event: never) => unknown)
  >
>;

export function el(
  tag: string,
  attributes: Attributes | null,
  ...children: ComponentChildren[]
): VNode {
  return h(tag, attributes as Record<string, unknown> | null, ...children);
}

/** Joins the class names that apply. */
export function names(...parts: readonly (string | false | undefined)[]): string {
  return parts.filter((part) => typeof part === "string" && part !== "").join(" ");
}

/** A component of ours: one that keeps something, or draws itself anew when what it reads changes. */
export function part<P extends object>(
  component: (props: P) => VNode | null,
  props: P & { readonly key?: string },
  ...children: ComponentChildren[]
): VNode {
  return h(
    component as unknown as ComponentType<P>,
    props as P & { key: string },
    ...children,
  ) as VNode;
}
