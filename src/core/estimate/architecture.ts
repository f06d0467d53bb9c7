/**
 * An architecture as blocks within blocks, for computing how available it is. Plain data; times are
 * milliseconds.
 *
 * This folder knows formulas and chances, no configuration and no measurements of its own: numbers
 * come in, numbers go out.
 */

/** How times scatter around their mean. `shape` of Weibull: below 1 early, above 1 wear-out. */
export type Spread =
  | { readonly kind: "exponential" }
  | { readonly kind: "fixed" }
  | { readonly kind: "weibull"; readonly shape: number }
  /** `sigma`: standard deviation of the logarithm. */
  | { readonly kind: "lognormal"; readonly sigma: number };

/** Something that works, fails and is repaired. Every copy of it behaves like it, on its own. */
export interface Part {
  readonly name: string;
  /** Mean time from repair to failure; Infinity: never fails. */
  readonly mttfMs: number;
  /** Mean time from failure to service, detection included. */
  readonly mttrMs: number;
  readonly life: Spread;
  readonly repair: Spread;
  /** What is watched of it, each copy by itself: `server web/web1`. Absent: what has its name. */
  readonly measuredBy?: readonly string[];
}

/**
 * One cause that takes all copies of a group at once: power, a bug, a wrong configuration
 * (the beta factor of IEC 61508-6).
 */
export interface CommonCause {
  /** Share of a copy's failures that hit all of them, 0-1. */
  readonly share: number;
  readonly mttrMs: number;
}

export interface Copies {
  readonly name: string;
  /** Every copy has parts of its own. */
  readonly of: Block;
  readonly total: number;
  /** Repairs that go on at once; `total` when there are as many as it takes. */
  readonly crews: number;
  readonly commonCause?: CommonCause;
}

/** All copies work at the same time; the group is up while `need` of them are. */
export interface SharedCopies extends Copies {
  readonly kind: "copies";
  readonly need: number;
}

/** One copy serves, the others wait, as warm as it is and failing as often. */
export interface FailoverCopies extends Copies {
  readonly kind: "failover";
  /** From the failure of the serving copy until the next one serves. */
  readonly switchMs: number;
  /** Share of such failures that the switch answers by itself, 0-1. */
  readonly coverage: number;
  /** How long the service is away when it does not. */
  readonly manualMs: number;
  /** Whose incidents and drills tell coverage and switch time. Absent: what has its name. */
  readonly measuredBy?: readonly string[];
}

export type Block =
  | { readonly kind: "part"; readonly part: Part }
  /** All of them must be up. */
  | { readonly kind: "series"; readonly name: string; readonly blocks: readonly Block[] }
  /** `need` of them must be up. */
  | {
      readonly kind: "parallel";
      readonly name: string;
      readonly need: number;
      readonly blocks: readonly Block[];
    }
  | SharedCopies
  | FailoverCopies;

export interface Architecture {
  readonly name: string;
  readonly system: Block;
}

export const EXPONENTIAL: Spread = { kind: "exponential" };

export function nameOf(block: Block): string {
  return block.kind === "part" ? block.part.name : block.name;
}

/** The same block with every part replaced; groups keep their settings. */
export function mapParts(block: Block, change: (part: Part) => Part): Block {
  switch (block.kind) {
    case "part":
      return { kind: "part", part: change(block.part) };
    case "series":
    case "parallel":
      return { ...block, blocks: block.blocks.map((inner) => mapParts(inner, change)) };
    case "copies":
    case "failover":
      return { ...block, of: mapParts(block.of, change) };
  }
}

/** The same block with `change` applied to each block, from the inside out. */
export function mapBlocks(block: Block, change: (block: Block) => Block): Block {
  switch (block.kind) {
    case "part":
      return change(block);
    case "series":
    case "parallel":
      return change({ ...block, blocks: block.blocks.map((inner) => mapBlocks(inner, change)) });
    case "copies":
    case "failover":
      return change({ ...block, of: mapBlocks(block.of, change) });
  }
}

/** Every block from the outside in, a group before what is in it; copies are told once. */
export function blocksOf(block: Block): Block[] {
  switch (block.kind) {
    case "part":
      return [block];
    case "series":
    case "parallel":
      return [block, ...block.blocks.flatMap(blocksOf)];
    case "copies":
    case "failover":
      return [block, ...blocksOf(block.of)];
  }
}

/** The different parts, by name, in the order of the architecture. */
export function partsOf(block: Block): Part[] {
  const parts = new Map<string, Part>();
  for (const inner of blocksOf(block)) {
    if (inner.kind === "part" && !parts.has(inner.part.name)) {
      parts.set(inner.part.name, inner.part);
    }
  }
  return [...parts.values()];
}
