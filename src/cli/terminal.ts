/** What a subcommand writes to, so that a test can read it. */

import { fstatSync } from "node:fs";
import { styleText } from "node:util";
import { writeWhole } from "../drivers/whole-write.ts";

export interface Terminal {
  /** One line (or several) to standard output. */
  out(text: string): void;
  /** One line (or several) to standard error. */
  err(text: string): void;
  readonly color: boolean;
  /** Of the terminal, as it is now; undefined when the output is no terminal. */
  readonly columns?: number;
  readonly rows?: number;
}

/** 0 ok; 1 operating trouble; 2 usage or configuration. Documented in `nines --help`. */
export type ExitCode = 0 | 1 | 2;

/** What was asked for cannot be meant; the message says what to write instead. Exit code 2. */
export class UsageFailure extends Error {
  override readonly name = "UsageFailure";
}

export type Paint = "red" | "green" | "yellow" | "cyan" | "dim" | "bold";

export function paint(terminal: Terminal, how: Paint, text: string): string {
  return terminal.color ? styleText(how, text, { validateStream: false }) : text;
}

/** https://no-color.org: any value that is not empty means no; a pipe means no as well. */
export function processTerminal(colorWanted: boolean): Terminal {
  process.stdout.on("error", endOfOutput);
  const noColor = (process.env["NO_COLOR"] ?? "") !== "" || process.env["TERM"] === "dumb";
  const terminal: Terminal = {
    out: isFile(STDOUT) ? writeFile : (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    color: colorWanted && !noColor && process.stdout.isTTY,
  };
  if (!process.stdout.isTTY) return terminal;
  return {
    ...terminal,
    get columns() {
      return process.stdout.columns;
    },
    get rows() {
      return process.stdout.rows;
    },
  };
}

const STDOUT = 1;

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** Node takes a part for the whole when a disk fills up. */
function writeFile(text: string): void {
  try {
    writeWhole(STDOUT, `${text}\n`);
  } catch (error) {
    endOfOutput(error as NodeJS.ErrnoException);
  }
}

function endOfOutput({ code, message }: NodeJS.ErrnoException): void {
  // `nines events | head` closes the pipe: an end, not an error, unless something is to be proved.
  if (code === "EPIPE") process.exit(process.exitCode ?? 0);
  // A report or a page of numbers that is not whole must not pass for one.
  process.stderr.write(`nines: cannot write the output (${code ?? message})\n`);
  process.exit(1);
}
