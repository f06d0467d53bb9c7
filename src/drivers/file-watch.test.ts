import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { FileWatch, type FileContent } from "./file-watch.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "nines-test-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** The first `count` contents that are told. */
function contents(path: string, count: number, between: () => void): Promise<FileContent[]> {
  return new Promise((resolve) => {
    const told: FileContent[] = [];
    const watch = new FileWatch(path, (content) => {
      told.push(content);
      if (told.length === 1) between();
      if (told.length < count) return;
      watch.close();
      resolve(told);
    });
  });
}

test("a path that the kernel will not follow is told of, and the file that takes its place is read", async () => {
  const path = join(directory, "track");
  symlinkSync(path, path);
  const mend = (): void => {
    rmSync(path);
    writeFileSync(`${path}.new`, "7\n");
    // In one step, so that nobody sees it missing.
    symlinkSync(`${path}.new`, path);
  };
  const told = await contents(path, 2, mend);
  assert.deepEqual(told[0], { problem: "cannot be read (ELOOP)" });
  assert.equal(told.at(-1)?.text, "7\n");
});

test("who is closed at once tells nothing", async () => {
  const told: FileContent[] = [];
  const path = join(directory, "track");
  new FileWatch(path, (content) => told.push(content)).close();
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  assert.deepEqual(told, []);
});
