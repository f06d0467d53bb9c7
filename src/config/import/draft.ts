/**
 * A nines.yaml in the making: plain data as a user would write it, comments, and everything that
 * could not be carried over.
 */

import { Document, isMap, isScalar, isSeq, type Node, type Pair, type Scalar, visit } from "yaml";
import { type Diagnostic, type Place, sortDiagnostics } from "../diagnostic.ts";

/** Keys whose value is undefined are left out. */
export type Data = Record<string, unknown>;

export class Draft {
  readonly nodes: Data = {};
  readonly global: Data = {};
  readonly addresses: Record<string, Data> = {};
  readonly groups: Record<string, Data> = {};
  readonly tracks: Record<string, Data> = {};
  readonly interfaces: Record<string, Data> = {};
  readonly static: Data = {};
  readonly checks: Record<string, Data> = {};
  readonly frontends: Record<string, Data> = {};
  readonly pools: Record<string, Data> = {};
  workers: number | undefined;
  readonly #comments = new Map<string, string>();
  /** One for each line of the file at most, so the file bounds it; told once each. */
  readonly #losses = new Map<string, Diagnostic>();

  /** Said above `pools.web`, for the person who goes on with the file. */
  comment(path: string, text: string): void {
    const before = this.#comments.get(path);
    this.#comments.set(path, before === undefined ? text : `${before}\n${text}`);
  }

  /** Something that Nines will not do as the old program did. */
  lost(at: Place, why: string): void {
    this.#tell({ ...at, severity: "warning", reason: "not carried over", next: why });
  }

  /** Something that needs no counterpart. */
  unneeded(at: Place, why: string): void {
    this.#tell({ ...at, severity: "note", reason: "not needed", next: why });
  }

  #tell({ file, line, column, text, severity, reason, next }: Diagnostic): void {
    const what = `${reason}: ${shortened(text)}`;
    const loss = { severity, file, line, column, text, reason: what, next };
    this.#losses.set(JSON.stringify([file, line, column, what, next]), loss);
  }

  get losses(): Diagnostic[] {
    return sortDiagnostics([...this.#losses.values()]);
  }

  /** The file, with its losses as comments at the end. */
  text(source: string): string {
    const document = new Document(clean(this.#sections()));
    for (const [path, text] of this.#comments) commentAbove(document, path.split("/"), text);
    shortListsInOneLine(document);
    const body = document.toString({ lineWidth: 100, flowCollectionPadding: false });
    return [`# Written by nines import from ${source}.`, "", body, ...this.#lossLines()].join("\n");
  }

  #sections(): Data {
    const sections: [string, Data][] = [
      ["nodes", this.nodes],
      ["global", this.global],
      ["addresses", this.addresses],
      ["groups", this.groups],
      ["tracks", this.tracks],
      ["interfaces", this.interfaces],
      ["static", this.static],
      ["checks", this.checks],
      ["frontends", this.frontends],
      ["pools", this.pools],
    ];
    const used = sections.filter(([, section]) => Object.keys(section).length > 0);
    return { ...Object.fromEntries(used), workers: this.workers };
  }

  #lossLines(): string[] {
    const { losses } = this;
    const told = (severity: string): string[] =>
      losses
        .filter((loss) => loss.severity === severity)
        .map(
          ({ file, line, reason, next }) =>
            `#   ${file}:${line}: ${reason.replace(/^[^:]*: /u, "")} - ${next}`,
        );
    const lost = told("warning");
    const unneeded = told("note");
    return [
      ...(lost.length === 0
        ? ["# Everything was carried over."]
        : ["# Not carried over:", ...lost]),
      ...(unneeded.length === 0 ? [] : ["# Not needed:", ...unneeded]),
      "",
    ];
  }
}

function shortened(text: string): string {
  const plain = text.replace(/\s+/gu, " ").trim();
  return plain.length > 100 ? `${plain.slice(0, 97)}...` : plain;
}

/** Without what is undefined, and maps in which nothing is left. */
function clean(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(clean);
  if (typeof data !== "object" || data === null) return data;
  const entries = Object.entries(data)
    .map(([key, value]): [string, unknown] => [key, clean(value)])
    .filter(([, value]) => value !== undefined);
  const isLeft = entries.length > 0 || Object.keys(data).length === 0;
  return isLeft ? Object.fromEntries(entries) : undefined;
}

function commentAbove(document: Document, path: readonly string[], text: string): void {
  const parent = document.getIn(path.slice(0, -1), true);
  const whole = path.length === 1 ? document.contents : parent;
  const last = path.at(-1)!;
  const lines = text.replace(/^/gmu, " ");
  if (isMap(whole)) {
    const pair = whole.items.find((one) => isScalar(one.key) && one.key.value === last) as
      | Pair<Scalar, Node>
      | undefined;
    if (pair !== undefined) pair.key.commentBefore = lines;
  } else if (isSeq(whole)) {
    const item = whole.items[Number(last)] as Node | undefined;
    if (item !== undefined) item.commentBefore = lines;
  }
}

/** Maps and lists of a few plain words read better on one line. */
function shortListsInOneLine(document: Document): void {
  visit(document, {
    Collection(_, node) {
      const data: unknown = node.toJS(document);
      const values = Object.values(data as object);
      const plain = values.every((value) => typeof value !== "object");
      const isShort = JSON.stringify(data).length < (isSeq(node) ? 60 : 50);
      if (plain && isShort && values.length > 0 && node.commentBefore == null) node.flow = true;
    },
  });
}
