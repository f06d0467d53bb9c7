/**
 * Tells whenever one file changed, appeared or went away. The directory is watched by inotify,
 * because editors and `mv` replace files; once a second the file's facts are compared, which
 * also serves directories that do not exist yet and file systems without events.
 */

import {
  mkdirSync,
  readFileSync,
  statSync,
  watch,
  writeFileSync,
  type BigIntStats,
  type FSWatcher,
} from "node:fs";
import { basename, dirname } from "node:path";

const COMPARE_EVERY_MS = 1000;
/** A tracked file holds one number. */
const READ_MAX = 4096;

export interface FileContent {
  readonly text?: string;
  /** Why there is no text: `is missing`. */
  readonly problem?: string;
}

export class FileWatch {
  readonly #path: string;
  readonly #onChange: (content: FileContent) => void;
  readonly #timer: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  /** Which directory is watched: a new one under the old name needs a new watch. */
  #directory: string | undefined;
  #facts = "";
  readonly #first: NodeJS.Immediate;

  /** The first content is told at the next turn of the event loop. */
  constructor(path: string, onChange: (content: FileContent) => void) {
    this.#path = path;
    this.#onChange = onChange;
    this.#timer = setInterval(() => this.#compare(), COMPARE_EVERY_MS);
    this.#first = setImmediate(() => {
      this.#compare();
      this.read();
    });
  }

  /** Tells the present content once more. */
  read(): void {
    this.#facts = factsOf(this.#path);
    this.#onChange(readContent(this.#path));
  }

  close(): void {
    clearImmediate(this.#first);
    clearInterval(this.#timer);
    this.#watcher?.close();
  }

  #compare(): void {
    const directory = identityOf(dirname(this.#path));
    if (directory !== this.#directory) this.#watchDirectory(directory);
    if (factsOf(this.#path) !== this.#facts) this.read();
  }

  #watchDirectory(directory: string | undefined): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#directory = directory;
    if (directory === undefined) return;
    const name = basename(this.#path);
    try {
      this.#watcher = watch(dirname(this.#path), { persistent: false }, (_event, changed) => {
        if (changed === name || changed === null) this.read();
      });
      this.#watcher.on("error", () => {
        this.#directory = undefined;
      });
    } catch {
      // No watch to be had (limit reached): comparing goes on, and tries again.
      this.#directory = undefined;
    }
  }
}

/** `init_file`: writes `value` unless the file is there, or anyway with `overwrite`. */
export function initialiseFile(
  path: string,
  value: number,
  overwrite: boolean,
): string | undefined {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    writeFileSync(path, `${value}\n`, { flag: overwrite ? "w" : "wx", mode: 0o644 });
    return undefined;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === "EEXIST" ? undefined : `${path} cannot be written (${code ?? "unknown"})`;
  }
}

function readContent(path: string): FileContent {
  try {
    const stats = statSync(path);
    // A FIFO would block the whole process.
    if (!stats.isFile()) return { problem: "is not a file" };
    if (stats.size > READ_MAX) return { text: "" };
    return { text: readFileSync(path, "latin1") };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return { problem: code === "ENOENT" ? "is missing" : `cannot be read (${code ?? "unknown"})` };
  }
}

function factsOf(path: string): string {
  const stats = statsOf(path);
  if (stats === undefined || typeof stats === "string") return stats ?? "";
  return `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}

function identityOf(directory: string): string | undefined {
  const stats = statsOf(directory);
  if (stats === undefined || typeof stats === "string") return undefined;
  return stats.isDirectory() ? `${stats.dev} ${stats.ino}` : undefined;
}

/** A text: what a dead mount or a circle of links says instead, which is no reason to end. */
function statsOf(path: string): BigIntStats | string | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  }
}
