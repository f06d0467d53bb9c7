import assert from "node:assert/strict";
import {
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
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
  readonly texts: string[];
  readonly told: PromiseWithResolvers<void>;
  readonly loads: string[];
  /** The files of the configuration. */
  readonly read: () => readonly string[];
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
  const texts: string[] = [];
  const read = (): string[] => [file, ...globSync(join(directory, "conf.d", "*.yaml"))];
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
      read,
      guard: { start: () => {}, dismiss: () => dismissals++ },
      say: (kind, text) => {
        said.push(kind);
        texts.push(text);
        told.resolve();
      },
    });
  const make = (): ConfigurationTrial => makeFor(file);
  const known = { directory, file, said, texts, told, loads, read };
  return { ...known, dismissed: () => dismissals, make, makeFor };
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

test("what was written into the files themselves is kept when they go back", async () => {
  const { file, texts, told, make, directory, read } = scene(() => true);
  const pools = join(directory, "conf.d", "pools.yaml");
  mkdirSync(join(directory, "conf.d"));
  writeFileSync(pools, "pools");
  const trial = make();
  trial.loaded(new Map(read().map((path) => [path, readFileSync(path, "utf8")])));
  writeFileSync(file, "an hour's work");
  writeFileSync(pools, "and its pools");
  await trial.apply("an hour's work", 1);
  await told.promise;
  assert.equal(readFileSync(file, "utf8"), "first");
  const kept = join(directory, ".nines.yaml.unconfirmed");
  assert.equal(readFileSync(kept, "utf8"), "an hour's work");
  const keptPools = join(directory, "conf.d", ".pools.yaml.unconfirmed");
  assert.equal(readFileSync(keptPools, "utf8"), "and its pools");
  assert.deepEqual(globSync(join(directory, "conf.d", "*")), [pools]);
  assert.ok(texts.join().includes(`what was tried is kept as ${kept}`), texts.join());
});

test("included files go back with the file that includes them", async () => {
  const { file, texts, told, make, directory, read } = scene(() => true);
  const [pools, fresh] = ["pools.yaml", "fresh.yaml"].map((name) =>
    join(directory, "conf.d", name),
  );
  mkdirSync(join(directory, "conf.d"));
  writeFileSync(pools!, "pools");
  const trial = make();
  trial.loaded(new Map(read().map((path) => [path, readFileSync(path, "utf8")])));
  writeFileSync(pools!, "other pools");
  writeFileSync(fresh!, "a pool that was not there");
  await trial.apply("first", 1);
  await told.promise;
  assert.equal(readFileSync(file, "utf8"), "first");
  assert.equal(readFileSync(pools!, "utf8"), "pools");
  assert.deepEqual(read(), [file, pools]);
  const aside = join(directory, "conf.d", ".fresh.yaml.unconfirmed");
  assert.equal(readFileSync(aside, "utf8"), "a pool that was not there");
  assert.match(texts.join(), /runs again; .*fresh\.yaml was not part of it/);
});

test("included files go back when nobody was there at the time", async () => {
  const { file, make, directory, read } = scene(() => true);
  const pools = join(directory, "conf.d", "pools.yaml");
  mkdirSync(join(directory, "conf.d"));
  writeFileSync(pools, "pools");
  const dying = make();
  dying.loaded(new Map(read().map((path) => [path, readFileSync(path, "utf8")])));
  writeFileSync(pools, "other pools");
  await dying.apply("second", 1);
  dying.close();
  await new Promise((resolve) => setTimeout(resolve, 3));
  assert.equal(takeBackOverdue(file, directory, read), true);
  assert.equal(readFileSync(pools, "utf8"), "pools");
  assert.equal(readFileSync(file, "utf8"), "first");
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

test("who waits to confirm can see that another change was applied for good meanwhile", async () => {
  const { texts, make } = scene(() => true);
  const trial = make();
  await trial.apply("second", undefined);
  assert.deepEqual(texts, []);
  await trial.apply("third", 60_000);
  await trial.apply("fourth", undefined);
  assert.equal(trial.leftMs, undefined);
  assert.match(texts.join(), /another configuration was applied for good/u);
});

test("a restart in the middle goes on waiting, or takes back what is overdue", async () => {
  const waiting = scene(() => true);
  const before = waiting.make();
  await before.apply("second", 60_000);
  before.close();
  assert.equal(takeBackOverdue(waiting.file, waiting.directory, waiting.read), false);
  const after = waiting.make();
  assert.ok(after.leftMs! > 50_000);
  after.close();

  const overdue = scene(() => true);
  const dying = overdue.make();
  await dying.apply("second", 1);
  dying.close();
  await new Promise((resolve) => setTimeout(resolve, 3));
  assert.equal(takeBackOverdue(overdue.file, overdue.directory, overdue.read), true);
  assert.equal(readFileSync(overdue.file, "utf8"), "first");
  assert.equal(takeBackOverdue(overdue.file, overdue.directory, overdue.read), false);
});

test("a change is taken back however the file is named at the next start", async () => {
  const { directory, file, makeFor } = scene(() => true);
  const named = relative(process.cwd(), file);
  const dying = makeFor(named);
  await dying.apply("second", 1);
  dying.close();
  await new Promise((resolve) => setTimeout(resolve, 3));
  assert.equal(
    takeBackOverdue(file, directory, () => [file]),
    true,
  );
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

test("what cannot be removed is no end of the trial, and ends no process", async () => {
  const { directory, file, make, read } = scene(() => true);
  const trial = make();
  await trial.apply("second", 60_000);
  const note = join(directory, "unconfirmed.json");
  const kept = readFileSync(note);
  // A directory stands for a disk that cannot be written: neither can be removed.
  rmSync(note);
  mkdirSync(note);
  const answer = await trial.confirm();
  assert.match("error" in answer ? answer.error : "", /cannot remove .*: .*would go back/);
  assert.ok(trial.leftMs !== undefined, "it goes on waiting");
  rmSync(note, { recursive: true });
  writeFileSync(note, kept);
  assert.deepEqual(await trial.confirm(), { done: true });
  trial.close();
  assert.equal(readFileSync(file, "utf8"), "second");
  assert.equal(takeBackOverdue(file, directory, read), false);
});

test("what went back and cannot be forgotten is told, and nobody ends the process for it", async () => {
  const { directory, file, told, texts, dismissed, make } = scene(() => true);
  const note = join(directory, "unconfirmed.json");
  const trial = make();
  await trial.apply("second", 100);
  rmSync(note);
  mkdirSync(note);
  await told.promise;
  trial.close();
  assert.equal(readFileSync(file, "utf8"), "first");
  assert.match(texts.join(), /runs again; .*cannot remove .*unconfirmed.json/);
  assert.equal(dismissed(), 1);
});
