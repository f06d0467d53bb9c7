import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Agenda } from "./agenda.ts";
import { FileCheck } from "./check-role-file.ts";
import { CheckLink } from "./check-role-link.ts";
import { runDirectory } from "./run-directory.ts";

test("a tracked file begins with its number once, not with every check process", () => {
  const directory = mkdtempSync(join(tmpdir(), "nines-track-"));
  const ignore = (): void => {};
  const listener = { connected: ignore, message: ignore, replaced: ignore };
  const [link, agenda] = [new CheckLink(runDirectory(directory), listener), new Agenda()];
  const path = join(directory, "load");
  const settings = { name: "load", path, weight: 1, reverse: false, initialValue: 7 };
  const begin = (overwrite: boolean, isKnown: boolean): string => {
    new FileCheck({ ...settings, overwrite }, { link, agenda, isKnown }).close();
    return readFileSync(path, "utf8");
  };
  assert.equal(begin(false, false), "7\n");
  writeFileSync(path, "200\n");
  assert.equal(begin(false, false), "200\n");
  assert.equal(begin(true, true), "200\n");
  assert.equal(begin(true, false), "7\n");
  rmSync(path);
  assert.equal(begin(true, true), "7\n");
  agenda.close();
  rmSync(directory, { recursive: true });
});
