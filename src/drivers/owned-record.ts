/**
 * The record of what Nines itself put into the kernel, so that a restart removes exactly that.
 *
 * A file of JSON lines in the state directory: a heading, then `+` and `-` entries. An entry is
 * written before the kernel is changed, and taken back after a removal; one write each, however
 * many addresses. Loading writes the file anew (temporary file, rename), which is also done when
 * the lines are many. On a full disk nothing is half written: an entry that does not fit is not there,
 * and a file that cannot be written anew goes on as it is. It tells of one network namespace since one boot: any other heading means
 * that the kernel state it speaks of is gone.
 */

import {
  closeSync,
  fchmodSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { osFailure } from "./ffi.ts";
import type { OsFailure } from "./ffi.ts";
import type { KernelObject } from "./kernel-object.ts";
import { writeWhole } from "./whole-write.ts";

export type OwnedEntry =
  | KernelObject
  | { readonly kind: "macvlan"; readonly name: string }
  /** A setting that we changed, and what it was before. */
  | { readonly kind: "sysctl"; readonly path: string; readonly value: string }
  | { readonly kind: "lease"; readonly table: string };

const FILE_NAME = "owned.json";
const FORMAT = 1;
/** Then the file is written anew. */
const LINE_BOUND = 20_000;

export class OwnedRecord {
  readonly #path: string;
  /** By their JSON text, in the order of their adding. */
  readonly #entries = new Map<string, OwnedEntry>();
  #fd = -1;
  /** Bytes of whole lines in the file: the next one goes there. */
  #size = 0;
  #lines = 0;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Makes the directory (0750) and the file (0600) where missing. */
  static load(directory: string): OwnedRecord | OsFailure {
    const record = new OwnedRecord(join(directory, FILE_NAME));
    const failure = attempt(`make ${directory}`, () => {
      mkdirSync(directory, { recursive: true, mode: 0o750 });
    });
    if (failure !== undefined) return failure;
    const isOurs = record.#read();
    const unwritten = attempt(`write ${record.#path}`, () => record.#rewrite());
    if (unwritten === undefined) return record;
    if (!isOurs) return unwritten;
    return attempt(`write ${record.#path}`, () => record.#goOn()) ?? record;
  }

  get entries(): readonly OwnedEntry[] {
    return [...this.#entries.values()];
  }

  /** Call before the kernel is changed; on failure (disk full) do not change it. */
  add(entries: readonly OwnedEntry[]): OsFailure | undefined {
    return this.#append(
      "+",
      entries.filter((entry) => !this.#entries.has(JSON.stringify(entry))),
    );
  }

  /** Call after the kernel was changed. A failure costs a restart an attempt in vain. */
  remove(entries: readonly OwnedEntry[]): OsFailure | undefined {
    return this.#append(
      "-",
      entries.filter((entry) => this.#entries.has(JSON.stringify(entry))),
    );
  }

  /** Leaves a file without the entries that were taken back. */
  close(): void {
    attempt(`write ${this.#path}`, () => this.#rewrite());
    closeSync(this.#fd);
  }

  #append(sign: "+" | "-", entries: readonly OwnedEntry[]): OsFailure | undefined {
    if (entries.length === 0) return undefined;
    const text = entries.map((entry) => `${sign}${JSON.stringify(entry)}\n`).join("");
    const failure = attempt(`write ${this.#path}`, () => {
      try {
        this.#size += writeWhole(this.#fd, text, this.#size);
      } catch (error) {
        ftruncateSync(this.#fd, this.#size);
        throw error;
      }
    });
    if (failure !== undefined) return failure;
    for (const entry of entries) this.#note(sign, entry);
    this.#lines += entries.length;
    // When that fails, all that is lost is room.
    if (this.#lines > LINE_BOUND) attempt(`write ${this.#path}`, () => this.#rewrite());
    return undefined;
  }

  #note(sign: string, entry: OwnedEntry): void {
    if (sign === "+") this.#entries.set(JSON.stringify(entry), entry);
    else this.#entries.delete(JSON.stringify(entry));
  }

  /**
   * A line that is cut short (the machine stopped) counts as not written. True when the file
   * speaks of what is here.
   */
  #read(): boolean {
    let text: string;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch {
      return false;
    }
    const [heading, ...lines] = text.split("\n");
    if (heading !== headingNow()) return false;
    this.#size = Buffer.byteLength(text.slice(0, text.lastIndexOf("\n") + 1));
    this.#lines = lines.length;
    for (const line of lines) {
      const entry = parseEntry(line.slice(1));
      if (entry !== undefined) this.#note(line[0]!, entry);
    }
    return true;
  }

  /** In the file that is there. */
  #goOn(): void {
    this.#fd = openSync(this.#path, "r+");
    ftruncateSync(this.#fd, this.#size);
  }

  /** The file is replaced as a whole or stays as it is. */
  #rewrite(): void {
    const temporary = `${this.#path}.new`;
    const fd = openSync(temporary, "w", 0o600);
    const lines = [...this.#entries.keys()].map((entry) => `+${entry}`);
    let size: number;
    try {
      fchmodSync(fd, 0o600);
      size = writeWhole(fd, `${[headingNow(), ...lines].join("\n")}\n`);
      renameSync(temporary, this.#path);
    } catch (error) {
      closeSync(fd);
      // It would take room where there is none.
      rmSync(temporary, { force: true });
      throw error;
    }
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = fd;
    this.#size = size;
    this.#lines = this.#entries.size;
  }
}

export function attempt(call: string, work: () => unknown): OsFailure | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return osFailure(call, errno);
  }
}

/** Kernel state of another boot or network namespace has nothing to do with ours. */
export function headingNow(): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return JSON.stringify({ format: FORMAT, boot, namespace: readlinkSync("/proc/self/ns/net") });
}

/** The file is ours alone (0600): only its shape can be broken, not its meaning. */
function parseEntry(text: string): OwnedEntry | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "kind" in value
      ? (value as OwnedEntry)
      : undefined;
  } catch {
    return undefined;
  }
}
