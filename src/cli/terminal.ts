/** What a subcommand writes to, so that a test can read it. */

import { styleText } from "node:util";

export interface Terminal {
  /** One line (or several) to standard output. */
  out(text: string): void;
  /** One line (or several) to standard error. */
  err(text: string): void;
  readonly color: boolean;
  /** Columns of the terminal; undefined when the output is no terminal. */
  readonly columns?: number;
}

/** 0 ok; 1 operating trouble; 2 usage or configuration. Documented in `nines --help`. */
export type ExitCode = 0 | 1 | 2;

export type Paint = "red" | "green" | "yellow" | "cyan" | "dim" | "bold";

export function paint(terminal: Terminal, how: Paint, text: string): string {
  return terminal.color ? styleText(how, text, { validateStream: false }) : text;
}

/** https://no-color.org: any value that is not empty means no; a pipe means no as well. */
export function processTerminal(colorWanted: boolean): Terminal {
  // `nines events | head` closes the pipe: an end, not an error.
  process.stdout.on("error", () => process.exit(0));
  const noColor = (process.env["NO_COLOR"] ?? "") !== "" || process.env["TERM"] === "dumb";
  const terminal: Terminal = {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    color: colorWanted && !noColor && process.stdout.isTTY,
  };
  return process.stdout.isTTY ? { ...terminal, columns: process.stdout.columns } : terminal;
}
