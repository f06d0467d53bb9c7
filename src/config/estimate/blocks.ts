/** Blocks of an estimate file: parts by name, lists, and the four kinds of groups. */

import {
  type Block,
  type CommonCause,
  nameOf,
  type Part,
} from "../../core/estimate/architecture.ts";
import { stateOf } from "../../core/estimate/formulas.ts";
import { withCommonCauses } from "../../core/estimate/common-cause.ts";
import { MOST_COPIES } from "../../core/estimate/improvements.ts";
import { closest } from "../../lib/spelling.ts";
import { formatDuration } from "../../lib/duration.ts";
import type { Findings } from "../diagnostic.ts";
import { type MapNode, placeOf, type TreeNode } from "../service/document/tree.ts";
import { countUpTo, readShare, readText, readTime } from "./figures.ts";
import { MapReader } from "./map-reader.ts";

const KINDS = ["series", "parallel", "copies", "failover"] as const;
type GroupKind = (typeof KINDS)[number];

const GROUP_KEYS: Readonly<Record<GroupKind, readonly string[]>> = {
  series: ["series", "name"],
  parallel: ["parallel", "name", "need"],
  copies: ["copies", "name", "total", "need", "crews", "common_cause", "common_repair"],
  failover: [
    "failover",
    "name",
    "total",
    "switch",
    "coverage",
    "manual",
    "crews",
    "common_cause",
    "common_repair",
    "measured",
  ],
};

const DEEPEST = 12;
/** Copies of copies of copies: what the simulation can run. */
const MOST_UNITS = 10_000;
const SWITCH_MS = 3000;
const count = countUpTo(MOST_COPIES);

export class BlockReader {
  readonly #parts: ReadonlyMap<string, Part>;
  readonly #findings: Findings;
  readonly #used = new Set<string>();
  readonly #names = new Set<string>();

  constructor(parts: ReadonlyMap<string, Part>, findings: Findings) {
    this.#parts = parts;
    this.#findings = findings;
  }

  /** Undefined: it is wrong, and that was told. */
  read(node: TreeNode, name: string): Block | undefined {
    const block = this.#read(node, name, 0);
    if (block !== undefined && unitsOf(block) > MOST_UNITS) {
      const next = "write groups with fewer copies";
      this.#findings.error(placeOf(node), `more than ${MOST_UNITS} parts in all copies`, next);
    }
    return block;
  }

  unusedParts(): string[] {
    return [...this.#parts.keys()].filter((name) => !this.#used.has(name));
  }

  #read(node: TreeNode, name: string | undefined, depth: number): Block | undefined {
    if (depth > DEEPEST) {
      this.#findings.error(placeOf(node), "blocks nest too deeply", `${DEEPEST} levels at most`);
      return undefined;
    }
    if (node.kind === "scalar") return this.#part(node);
    if (node.kind === "list") {
      const blocks = this.#list(node, depth);
      return blocks && { kind: "series", name: name ?? namesOf(blocks, " + "), blocks };
    }
    return this.#group(node, depth);
  }

  #part(node: Extract<TreeNode, { kind: "scalar" }>): Block | undefined {
    const part = this.#parts.get(node.text);
    this.#used.add(node.text);
    if (part !== undefined) return { kind: "part", part };
    const near = closest(node.text, this.#parts.keys());
    const known = [...this.#parts.keys()].slice(0, 10).join(" ");
    const next = near === undefined ? `parts are: ${known}` : `did you mean '${near}'?`;
    this.#findings.error(node.at, `there is no part '${node.text}'`, next);
    return undefined;
  }

  #list(node: TreeNode, depth: number): Block[] | undefined {
    if (node.kind !== "list" || node.items.length === 0) {
      this.#findings.error(placeOf(node), "a list of blocks is wanted", "write: [PART, PART]");
      return undefined;
    }
    const blocks = node.items.map((item) => this.#read(item, undefined, depth + 1));
    return blocks.every((block) => block !== undefined) ? blocks : undefined;
  }

  #group(node: MapNode, depth: number): Block | undefined {
    const map = new MapReader(node, this.#findings);
    const kinds = KINDS.filter((kind) => map.has(kind));
    const [kind] = kinds;
    if (kind === undefined || kinds.length > 1) {
      const reason = kind === undefined ? "what kind of group is this?" : `${kinds.join(" and ")}?`;
      this.#findings.error(map.at, reason, `write one of ${KINDS.join(", ")}`);
      return undefined;
    }
    map.allow(`a group of kind ${kind}`, GROUP_KEYS[kind]);
    const name = map.get("name", readText);
    if (kind === "series" || kind === "parallel") {
      const blocks = this.#list(map.node(kind)!, depth);
      if (blocks === undefined) return undefined;
      const called = name ?? namesOf(blocks, kind === "series" ? " + " : " / ");
      if (kind === "series") return { kind, name: called, blocks };
      const need = this.#need(map, blocks.length);
      return { kind, name: called, need, blocks };
    }
    const of = this.#read(map.node(kind)!, undefined, depth + 1);
    return of && this.#copies(map, kind, { of, name: this.#distinct(name ?? nameOf(of), kind) });
  }

  #copies(
    map: MapReader,
    kind: "copies" | "failover",
    { of, name }: { readonly of: Block; readonly name: string },
  ): Block {
    const total = map.get("total", count) ?? 2;
    const crews = map.get("crews", count) ?? total;
    if (crews < total && of.kind !== "part") {
      const next = "leave crews out, or give each part a group of its own";
      this.#findings.error(map.at, "crews are for copies of one part", next);
    }
    // Placeholders of wrong parts make no sense here, and nobody reads the result.
    const one = stateOf(withCommonCauses(of));
    const mttrMs = Math.round(one.unavailability / one.failuresPerMs);
    const commonCause = this.#commonCause(map, mttrMs);
    const base = { name, of, total, crews, ...(commonCause === undefined ? {} : { commonCause }) };
    if (kind === "copies") return { kind, ...base, need: this.#need(map, total) };
    if (total === 1) this.#findings.error(map.at, "one copy cannot fail over", "write total: 2");
    const manualMs = map.get("manual", readTime) ?? mttrMs;
    if (manualMs > mttrMs * (1 + 1e-9)) {
      const reason = `manual ${formatDuration(manualMs)} is longer than a repair (${formatDuration(mttrMs)})`;
      const next = "the repair would end the outage: leave manual out";
      this.#findings.warn(placeOf(map.node("manual")!), reason, next);
    }
    const switchMs = map.get("switch", readTime) ?? SWITCH_MS;
    const coverage = map.get("coverage", readShare) ?? 1;
    if (!map.has("coverage")) {
      const next = "drills tell it: nines drill history; 99% is a good value of a tested system";
      this.#findings.warn(map.at, `no coverage: every switch of '${name}' works`, next);
    }
    const measuredBy = map.texts("measured");
    const measured = measuredBy === undefined ? {} : { measuredBy };
    return { kind, ...base, switchMs, coverage, manualMs, ...measured };
  }

  #commonCause(map: MapReader, mttrMs: number): CommonCause | undefined {
    const share = map.get("common_cause", readShare);
    const repair = map.get("common_repair", readTime);
    return share === undefined ? undefined : { share, mttrMs: repair ?? mttrMs };
  }

  #need(map: MapReader, total: number): number {
    const need = map.get("need", count) ?? 1;
    if (need <= total) return need;
    const at = placeOf(map.node("need")!);
    this.#findings.error(at, `${need} of ${total} are wanted`, `write 1 to ${total}`);
    return total;
  }

  /** Results are told by name: two groups of the same part need two. */
  #distinct(name: string, kind: string): string {
    const wanted = this.#parts.has(name) ? `${name} ${kind}` : name;
    for (let i = 1; ; i++) {
      const tried = i === 1 ? wanted : `${wanted} ${i}`;
      if (this.#names.has(tried)) continue;
      this.#names.add(tried);
      return tried;
    }
  }
}

function namesOf(blocks: readonly Block[], between: string): string {
  const all = blocks.map(nameOf).join(between);
  return all.length <= 60 ? all : `${all.slice(0, 59)}…`;
}

function unitsOf(block: Block): number {
  switch (block.kind) {
    case "part":
      return 1;
    case "series":
    case "parallel":
      return block.blocks.reduce((sum, inner) => sum + unitsOf(inner), 0);
    case "copies":
    case "failover":
      return block.total * unitsOf(block.of);
  }
}
