import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { ConfigurationTrial, takeBackOverdue } from "./configuration-trial.ts";

interface Scene {
  readonly directory: string;
  readonly file: string;
  readonly said: string[];
  readonly told: PromiseWithResolvers<void>;
  readonly loads: string[];
  /** How often nobody shall guard any more. */
  readonly dismissed: () => number;
  readonly make: () => ConfigurationTrial;
  readonly makeFor: (file: string) => ConfigurationTrial;
}

/** `meanwhile`: how long it takes to load a text. */
function scene(
  accepts: (text: string) => boolean,
  meanwhile: (text: string) => Promise<void> = () => Promise.resolve(),
): Scene {
  const directory = mkdtempSync(join(tmpdir(), "nines-test-"));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "nines.yaml");
  writeFileSync(file, "first");
  const said: string[] = [];
  const loads: string[] = [];
  const told = Promise.withResolvers<void>();
  let dismissals = 0;
  const makeFor = (running: string): ConfigurationTrial =>
    new ConfigurationTrial({
      file: running,
      stateDirectory: directory,
      reload: async () => {
        const text = readFileSync(running, "utf8");
        loads.push(text);
        await meanwhile(text);
        const reloaded = accepts(text);
        return { reloaded, diagnostics: reloaded ? [] : ["no"] };
      },
      guard: { start: () => {}, dismiss: () => dismissals++ },
      say: (kind) => {
        said.push(kind);
        told.resolve();
      },
    });
  const make = (): ConfigurationTrial => makeFor(file);
  return { directory, file, said, told, loads, dismissed: () => dismissals, make, makeFor };
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
  assert.deepEqual(await trial.confirm(), { done: true });
  assert.deepEqual(said, ["configuration-confirmed"]);
  assert.equal(readFileSync(file, "utf8"), "second");
  assert.equal(existsSync(join(directory, "unconfirmed.json")), false);
  assert.match(JSON.stringify(await trial.confirm()), /no change that waits/);
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

test("a change is taken back however the file is named at the next start", async () => {
  const { directory, file, makeFor } = scene(() => true);
  const named = relative(process.cwd(), file);
  const dying = makeFor(named);
  await dying.apply("second", 1);
  dying.close();
  await new Promise((resolve) => setTimeout(resolve, 3));
  assert.equal(takeBackOverdue(file, directory), true);
  assert.equal(readFileSync(file, "utf8"), "first");

  const waiting = makeFor(file);
  await waiting.apply("third", 60_000);
  waiting.close();
  const after = makeFor(named);
  assert.ok(after.leftMs! > 50_000);
  after.close();
});

test("a refused change leaves one before it waiting to be confirmed", async () => {
  const { directory, make } = scene((text) => text !== "bad");
  const note = join(directory, "unconfirmed.json");
  const trial = make();
  await trial.apply("second", 60_000);
  const waits = readFileSync(note, "utf8");
  await trial.apply("bad", 90_000);
  assert.ok(trial.leftMs! > 50_000 && trial.leftMs! <= 60_000);
  assert.equal(readFileSync(note, "utf8"), waits);
  await trial.apply("bad", undefined);
  assert.equal(readFileSync(note, "utf8"), waits);
  assert.deepEqual(await trial.confirm(), { done: true });
});

test("a time that runs out while another change is made takes nothing of that back", async () => {
  const reached = Promise.withResolvers<void>();
  const going = Promise.withResolvers<void>();
  const { file, loads, make, directory } = scene(
    () => true,
    (text) => {
      if (text !== "third") return Promise.resolve();
      reached.resolve();
      return going.promise;
    },
  );
  const trial = make();
  void trial.apply("second", 20);
  const third = trial.apply("third", 60_000);
  await reached.promise;
  while (trial.leftMs! > -5) await new Promise((resolve) => setTimeout(resolve, 5));
  going.resolve();
  await third;
  await trial.confirm();
  assert.deepEqual(loads, ["second", "third"]);
  assert.equal(readFileSync(file, "utf8"), "third");
  assert.equal(existsSync(join(directory, "unconfirmed.json")), false);
});

test("what cannot be taken back yet is kept, and nobody ends the process for that", async () => {
  const { directory, told, said, dismissed, makeFor } = scene(() => true);
  const note = join(directory, "unconfirmed.json");
  const file = join(directory, "gone", "nines.yaml");
  writeFileSync(note, JSON.stringify({ file, previous: "first", untilWallMs: 0 }));
  const trial = makeFor(file);
  await told.promise;
  await new Promise((resolve) => setImmediate(resolve));
  trial.close();
  assert.deepEqual(said, ["configuration-rolled-back"]);
  assert.equal(dismissed(), 1);
  assert.match(readFileSync(note, "utf8"), /first/);
});

test("a month to confirm is not over at once", async () => {
  const { loads, make } = scene(() => true);
  const trial = make();
  await trial.apply("second", 31 * 86_400_000);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(loads, ["second"]);
  trial.close();
});

test("a link to the configuration stays a link", async () => {
  const { file, make } = scene(() => true);
  const target = `${file}.real`;
  renameSync(file, target);
  symlinkSync(target, file);
  await make().apply("second", undefined);
  assert.ok(lstatSync(file).isSymbolicLink());
  assert.equal(readFileSync(target, "utf8"), "second");
});
