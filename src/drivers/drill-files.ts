/**
 * What a drill leaves on disk: the undo of the one in progress (so that a reboot cannot leave a fault
 * behind), and a line for everything that happened.
 */

import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "./private-file.ts";
import type { WorkLoss } from "../core/probe/write-book.ts";
import type { Asked } from "../core/drill/errand.ts";
import type { DrillResult, Measured } from "../core/drill/result.ts";

/** What a guard is told. */
export interface UndoFile {
  readonly id: string;
  readonly drill: string;
  /** Whole command lines, in the order in which they are to be run. */
  readonly undo: readonly (readonly string[])[];
  readonly withinMs: number;
  readonly silenceMs: number;
  readonly stateDirectory: string;
}

export interface DrillLine {
  readonly wallMs: number;
  /** `drill-asked`, `drill-answered`: of this node about a drill on another one. */
  readonly kind:
    | "drill-started"
    | "drill-finished"
    | "drill-undone"
    | "drill-refused"
    | "drill-asked"
    | "drill-answered";
  readonly id: string;
  readonly drill: string;
  readonly reason: string;
  readonly result?: DrillResult;
  /** For whom it was done, when another node asked. */
  readonly asked?: Asked;
  /** The node that it was asked of, and what it said. */
  readonly on?: string;
  readonly verdict?: DrillResult["verdict"];
  readonly measured?: Measured;
  readonly workLoss?: WorkLoss;
  readonly lostWrites?: number;
}

/** The oldest half goes when the file has grown so far. */
const MAX_BYTES = 8 << 20;

const pathOf = (stateDirectory: string): string => join(stateDirectory, "drills.jsonl");
const pendingIn = (stateDirectory: string): string => join(stateDirectory, "drills");

/** The path of the file. Throws when it cannot be written: then nothing may be broken. */
export function writeUndo(file: UndoFile): string {
  const directory = pendingIn(file.stateDirectory);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${file.id}.json`);
  writeFileSync(path, JSON.stringify(file), { mode: 0o600, flush: true });
  return path;
}

export function readUndo(path: string): UndoFile {
  return JSON.parse(readFileSync(path, "utf8")) as UndoFile;
}

export function removeUndo(path: string): void {
  rmSync(path, { force: true });
}

/** Files of drills that have not been undone. */
export function pendingUndos(stateDirectory: string): readonly string[] {
  try {
    const directory = pendingIn(stateDirectory);
    return readdirSync(directory)
      .filter((name) => name.endsWith(".json"))
      .map((name) => join(directory, name));
  } catch {
    return [];
  }
}

/** False when there is no room for it: the drill counts more than its record. */
export function appendLine(stateDirectory: string, line: DrillLine): boolean {
  try {
    mkdirSync(stateDirectory, { recursive: true });
    appendFileSync(pathOf(stateDirectory), `${JSON.stringify(line)}\n`, { mode: 0o600 });
    return true;
  } catch {
    return false;
  }
}

/** Oldest first. A line that was cut off by a crash is left out. */
export function readLines(stateDirectory: string): readonly DrillLine[] {
  let text: string;
  try {
    text = readFileSync(pathOf(stateDirectory), "utf8");
  } catch {
    return [];
  }
  const lines = text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as DrillLine];
    } catch {
      return [];
    }
  });
  if (text.length > MAX_BYTES) keepHalf(stateDirectory, lines);
  return lines;
}

function keepHalf(stateDirectory: string, lines: readonly DrillLine[]): void {
  const kept = lines.slice(Math.floor(lines.length / 2));
  const path = pathOf(stateDirectory);
  try {
    writePrivateFile(path, kept.map((line) => `${JSON.stringify(line)}\n`).join(""));
  } catch {
    // On a full disk it stays as large as it is.
  }
}
