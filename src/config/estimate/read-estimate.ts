/** The entrance: an estimate file becomes an architecture, or a list of everything wrong with it. */

import type { Architecture, Block, Part } from "../../core/estimate/architecture.ts";
import { type Diagnostic, Findings, type Place, sortDiagnostics } from "../diagnostic.ts";
import { DISK, unreadable } from "../disk.ts";
import type { ConfigurationFiles } from "../keepalived/lines.ts";
import { parseYaml } from "../service/document/parse.ts";
import type { MapNode, TreeNode } from "../service/document/tree.ts";
import { BlockReader } from "./blocks.ts";
import { readShare, readSpread, readText, readTime } from "./figures.ts";
import { MapReader } from "./map-reader.ts";

export interface EstimateReading {
  /** Absent when there are errors. */
  readonly architecture?: Architecture;
  readonly diagnostics: readonly Diagnostic[];
  readonly sourceLine: (at: Place) => string | undefined;
}

const TOP_KEYS = ["name", "parts", "system"] as const;
const PART_KEYS = ["mttf", "mttr", "availability", "life", "repair", "measured"] as const;
const MOST_PARTS = 500;

/** Never throws on what a file contains. */
export function readEstimate(path: string, files: ConfigurationFiles = DISK): EstimateReading {
  const findings = new Findings();
  const text = files.readFile(path)?.replace(/^\uFEFF/u, "");
  const lines = text?.split(/\r?\n/u) ?? [];
  const architecture =
    text === undefined ? tellUnreadable(path, files, findings) : read(path, text, findings);
  return {
    ...(findings.failed || architecture === undefined ? {} : { architecture }),
    diagnostics: sortDiagnostics(findings.list),
    sourceLine: ({ line }) => lines[line - 1],
  };
}

function tellUnreadable(path: string, files: ConfigurationFiles, findings: Findings): undefined {
  const at = { file: path, line: 1, column: 1, text: "" };
  findings.error(at, ...unreadable(path, files));
  return undefined;
}

function read(path: string, text: string, findings: Findings): Architecture | undefined {
  const tree = parseYaml(path, text, findings);
  if (tree === undefined) return undefined;
  const top = new MapReader(tree, findings);
  top.allow("an estimate", TOP_KEYS);
  const name = top.get("name", readText) ?? path.replace(/^.*\/|\.ya?ml$/gu, "");
  const parts = readParts(top.node("parts"), tree, findings);
  const system = top.node("system");
  if (system === undefined) {
    findings.error(tree.at, "there is no system", "add it: system: [PART, PART]");
    return undefined;
  }
  const reader = new BlockReader(parts, findings);
  const block: Block | undefined = reader.read(system, name);
  for (const unused of reader.unusedParts()) {
    const at = partPlace(tree, unused);
    findings.warn(at, `part '${unused}' is not in the system`, "name it there, or remove it");
  }
  return block === undefined ? undefined : { name, system: block };
}

function partPlace(tree: MapNode, name: string): Place {
  const parts = tree.entries.get("parts");
  const node = parts?.kind === "map" ? parts.entries.get(name) : undefined;
  return node?.key ?? tree.at;
}

function readParts(
  node: TreeNode | undefined,
  tree: MapNode,
  findings: Findings,
): Map<string, Part> {
  const parts = new Map<string, Part>();
  if (node?.kind !== "map" || node.entries.size === 0) {
    const at = node === undefined ? tree.at : (node.key ?? node.at);
    findings.error(at, "there are no parts", "write: parts: { web: { mttf: 2000h, mttr: 4h } }");
    return parts;
  }
  for (const [name, inner] of node.entries) {
    if (parts.size >= MOST_PARTS) {
      findings.error(inner.key ?? inner.at, `more than ${MOST_PARTS} parts`);
      return parts;
    }
    const part = readPart(name, inner, findings);
    // A wrong one has a place too, so that its name is no second mistake.
    parts.set(name, part ?? { ...PLACEHOLDER, name });
  }
  return parts;
}

const PLACEHOLDER: Omit<Part, "name"> = {
  mttfMs: 1,
  mttrMs: 1,
  life: { kind: "exponential" },
  repair: { kind: "exponential" },
};

function readPart(name: string, node: TreeNode, findings: Findings): Part | undefined {
  if (node.kind !== "map") {
    const next = "write: { mttf: 2000h, mttr: 4h }";
    findings.error(node.at, `part '${name}' takes a map`, next);
    return undefined;
  }
  const map = new MapReader(node, findings);
  map.allow("a part", PART_KEYS);
  const [mttf, mttr, availability] = [
    map.get("mttf", readTime),
    map.get("mttr", readTime),
    map.get("availability", readShare),
  ];
  const life = map.get("life", readSpread) ?? PLACEHOLDER.life;
  const repair = map.get("repair", readSpread) ?? PLACEHOLDER.repair;
  const given = (["mttf", "mttr", "availability"] as const).filter((key) => map.has(key));
  if (given.length !== 2) {
    const reason = `part '${name}' has ${given.length === 0 ? "no figures" : given.join(", ")}`;
    findings.error(map.at, reason, "write two of mttf, mttr and availability");
    return undefined;
  }
  if (availability === 0 || availability === 1) {
    findings.error(map.at, "always or never there", "write an availability between 0% and 100%");
    return undefined;
  }
  const down = availability === undefined ? NaN : 1 - availability;
  const mttfMs = mttf ?? (mttr! * (1 - down)) / down;
  const mttrMs = mttr ?? (mttf! * down) / (1 - down);
  const measuredBy = map.texts("measured");
  const measured = measuredBy === undefined ? {} : { measuredBy };
  return { name, mttfMs, mttrMs, life, repair, ...measured };
}
