/** The two READMEs say the same: what can be compared without knowing both languages. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../", import.meta.url);
const english = readFileSync(new URL("README.md", ROOT), "utf8");
const chinese = readFileSync(new URL("README.zh-CN.md", ROOT), "utf8");

/** Lines of code blocks without comments; words in quotes, and the language asked for, differ. */
function commands(text: string): string[] {
  const blocks = [...text.matchAll(/^```.*\n([^]*?)^```/gmu)].map((match) => match[1]!);
  return blocks
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/\s*#.*$/u, "").replace(/"[^"]*"/gu, '""'))
    .map((line) => line.replace(" --lang zh", ""))
    .filter((line) => line.trim() !== "")
    .toSorted();
}

const count = (text: string, start: RegExp): number => text.match(start)?.length ?? 0;

test("both READMEs show the same commands and files", () => {
  assert.deepEqual(commands(chinese), commands(english));
});

test("both READMEs have the same sections, promises and limits", () => {
  for (const start of [/^#+ /gmu, /^\| /gmu, /^- /gmu]) {
    assert.equal(count(chinese, start), count(english, start), String(start));
  }
});

test("both READMEs lead to the same documents", () => {
  const links = (text: string): string[] => [
    ...new Set(text.match(/\]\((?:docs|samples)\/[^)]+\)/gu)),
  ];
  assert.deepEqual(links(chinese).toSorted(), links(english).toSorted());
});
