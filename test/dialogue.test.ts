/**
 * Dialogues with the command line: `test/dialogue/*.txt` hold a command, a line `----`, and its
 * exact output (`! ` marks standard error, `[exit N]` any exit code but 0), separated by blank
 * lines. `node test/dialogue.test.ts --update` writes what the program says now.
 */

import { test } from "node:test";
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { main } from "../src/cli/main.ts";
import type { Terminal } from "../src/cli/terminal.ts";

const FOLDER = join(import.meta.dirname, "dialogue");
const update = process.argv.includes("--update");

interface Exchange {
  readonly command: string;
  readonly answer: string;
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".txt"))) {
  const path = join(FOLDER, file);
  const exchanges = parse(readFileSync(path, "utf8"));
  if (update) {
    const fresh: string[] = [];
    for (const { command } of exchanges) fresh.push(`${command}\n----\n${await say(command)}\n`);
    writeFileSync(path, fresh.join("\n"));
    continue;
  }
  for (const { command, answer } of exchanges) {
    test(`${file}: ${command}`, async () => {
      assert.equal(await say(command), answer);
    });
  }
}

/** A command starts after a blank line and is followed by `----`. */
function parse(text: string): Exchange[] {
  const starts = [...text.matchAll(/(?<=^|\n\n)(nines[^\n]*)\n----\n/g)];
  return starts.map((start, i) => ({
    command: start[1]!,
    answer: text.slice(start.index + start[0].length, starts[i + 1]?.index).trimEnd(),
  }));
}

async function say(command: string): Promise<string> {
  const lines: string[] = [];
  const terminal: Terminal = {
    out: (text) => void lines.push(...text.split("\n")),
    err: (text) => void lines.push(...text.split("\n").map((line) => `! ${line}`)),
    color: false,
  };
  const words = (command.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));
  const code = await main(words.slice(1), terminal);
  if (code !== 0) lines.push(`[exit ${code}]`);
  return lines.map((line) => line.trimEnd()).join("\n");
}
