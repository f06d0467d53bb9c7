import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigurationTrial, takeBackOverdue } from "./configuration-trial.ts";

function scene(accepts: (text: string) => boolean): {
  directory: string;
  file: string;
  said: string[];
  told: PromiseWithResolvers<void>;
  loads: string[];
  make: () => ConfigurationTrial;
} {
  const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "nines.yaml");
  writeFileSync(file, "first");
  const said: string[] = [];
  const loads: string[] = [];
  const told = Promise.withResolvers<void>();
  const make = (): ConfigurationTrial =>
    new ConfigurationTrial({
      file,
      stateDirectory: directory,
      reload: () => {
        const text = readFileSync(file, "utf8");
        loads.push(text);
        const reloaded = accepts(text);
        return Promise.resolve({ reloaded, diagnostics: reloaded ? [] : ["no"] });
      },
      guard: () => {},
      say: (kind) => {
        said.push(kind);
        told.resolve();
      },
    });
  return { directory, file, said, told, loads, make };
}

test("a change that is not confirmed in time is taken back", async () => {
  const { file, said, told, loads, make, directory } = scene(() => true);
  await make().apply("second", 1);
  await told.promise;
  assert.deepEqual(loads, ["second", "first"]);
  assert.deepEqual(said, ["configuration-rolled-back"]);
  assert.equal(readFileSync(file, "utf8"), "first");
  assert.equal(existsSync(join(directory, "unconfirmed.json")), false);
});

test("a confirmed change stays", async () => {
  const { file, said, make, directory } = scene(() => true);
  const trial = make();
  await trial.apply("second", 60_000);
  assert.ok(trial.leftMs! > 50_000);
  assert.deepEqual(trial.confirm(), { done: true });
  assert.deepEqual(said, ["configuration-confirmed"]);
  assert.equal(readFileSync(file, "utf8"), "second");
  assert.equal(existsSync(join(directory, "unconfirmed.json")), false);
  assert.match(JSON.stringify(trial.confirm()), /no change that waits/);
});

test("a refused change leaves the file as it was", async () => {
  const { file, make } = scene((text) => text !== "bad");
  const outcome = await make().apply("bad", 60_000);
  assert.deepEqual(outcome, { reloaded: false, diagnostics: ["no"] });
  assert.equal(readFileSync(file, "utf8"), "first");
});

test("two changes in a row go back to what was confirmed last", async () => {
  const { file, told, make } = scene(() => true);
  const trial = make();
  await trial.apply("second", 60_000);
  await trial.apply("third", 1);
  await told.promise;
  assert.equal(readFileSync(file, "utf8"), "first");
});

test("a restart in the middle goes on waiting, or takes back what is overdue", async () => {
  const waiting = scene(() => true);
  const before = waiting.make();
  await before.apply("second", 60_000);
  before.close();
  assert.equal(takeBackOverdue(waiting.file, waiting.directory), false);
  const after = waiting.make();
  assert.ok(after.leftMs! > 50_000);
  after.close();

  const overdue = scene(() => true);
  const dying = overdue.make();
  await dying.apply("second", 1);
  dying.close();
  await new Promise((resolve) => setTimeout(resolve, 3));
  assert.equal(takeBackOverdue(overdue.file, overdue.directory), true);
  assert.equal(readFileSync(overdue.file, "utf8"), "first");
  assert.equal(takeBackOverdue(overdue.file, overdue.directory), false);
});
