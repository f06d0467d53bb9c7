import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { prepareDirectory } from "./run-directory.ts";

const folder = mkdtempSync(join(tmpdir(), "nines-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function modeOf(path: string): number {
  return statSync(path).mode & 0o7777;
}

/** With something in it that is not ours. */
function used(name: string, mode: number): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, "theirs"), "");
  chmodSync(path, mode);
  return path;
}

test("a directory that is made, or was made for us and is empty, is closed to others", () => {
  const fresh = join(folder, "fresh");
  const empty = join(folder, "empty");
  mkdirSync(empty);
  chmodSync(empty, 0o777);
  for (const path of [fresh, empty]) {
    assert.equal(prepareDirectory(path), undefined);
    assert.equal(modeOf(path), 0o750);
  }
});

test("the rights of a directory with other things in it stay as they are", () => {
  const run = used("like-run", 0o755);
  assert.equal(prepareDirectory(run), undefined);
  assert.equal(modeOf(run), 0o755);
  const temporary = used("like-tmp", 0o1777);
  assert.match(prepareDirectory(temporary, "--state-dir") ?? "", /others may write .* --state-dir/);
  assert.equal(modeOf(temporary), 0o1777);
});

test("what is no directory is told with the option that names another", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  assert.match(prepareDirectory(file) ?? "", /it is not a directory; .*--run-dir/);
  assert.match(prepareDirectory(join(file, "x"), "--state-dir") ?? "", /not a dir.*--state-dir/);
  assert.equal(prepareDirectory(""), "--run-dir is empty; name a directory");
  assert.match(prepareDirectory(join(folder, "x".repeat(108))) ?? "", /too long .*--run-dir/);
});
