/**
 * `nines apply`: a file takes the place of the running configuration; with a time limit it goes back
 * by itself unless the operator confirms. What to go back to is on disk before anything is changed,
 * so that the end of this process does not make an unconfirmed change last: whoever runs next takes it
 * back, and `trial-guard.ts` sees to it that somebody does.
 */

import {
  chownSync,
  copyFileSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { wallMs } from "../drivers/clock.ts";
import type { Done, Failure, Reloaded } from "./control-api.ts";
import { firstMistake } from "./load-configuration.ts";

/** Files of a configuration and what stands in each. */
export type Texts = ReadonlyMap<string, string>;

/** Longer ones are over at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** How often it is tried again to go back, on a disk that is full. */
const TRY_AGAIN_MS = 10_000;

/** For whoever waits to say `nines confirm`: somebody else was faster. */
const REPLACED =
  "another configuration was applied for good before the one that waited was confirmed";

const WOULD_GO_BACK = "the change would go back when its time is over, or at the next start";

export interface Trial {
  /** Where the configuration runs from. */
  readonly file: string;
  /** What was there before. */
  readonly previous: string;
  /** The files that it included, by their whole path. */
  readonly included?: Readonly<Record<string, string>>;
  /** Unix ms. */
  readonly untilWallMs: number;
}

export interface TrialOptions {
  readonly file: string;
  readonly stateDirectory: string;
  readonly reload: () => Promise<Reloaded>;
  /** The files that would be read now. */
  readonly read: () => Iterable<string>;
  /** Somebody outside of this process sees to it that it goes back. */
  readonly guard: { start(): void; dismiss(): void };
  readonly say: (
    kind: "configuration-confirmed" | "configuration-rolled-back",
    text: string,
  ) => void;
}

export class ConfigurationTrial {
  readonly #options: TrialOptions;
  readonly #path: string;
  #trial: Trial | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** What runs now: the files themselves may have been edited since. */
  #running: Pick<Trial, "previous" | "included">;
  /** One after the other: applied, confirmed, taken back. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: TrialOptions) {
    // Whoever starts the node again may name the file from another directory.
    const file = resolve(options.file);
    this.#options = { ...options, file };
    this.#path = trialPath(options.stateDirectory);
    this.#running = { previous: readText(file) };
    const left = readTrial(this.#path);
    if (left?.file === file) this.#begin(left);
  }

  /** Ms until the change is taken back; undefined when there is nothing to confirm. */
  get leftMs(): number | undefined {
    return this.#trial === undefined ? undefined : this.#trial.untilWallMs - wallMs();
  }

  /** The running configuration was read from these. */
  loaded(texts: Texts): void {
    const { file } = this.#options;
    const all = new Map([...texts].map(([path, text]) => [resolve(path), text]));
    const previous = all.get(file) ?? readText(file);
    all.delete(file);
    this.#running = { previous, included: Object.fromEntries(all) };
  }

  /** `text`: what shall run. Refused: nothing has changed, and what waited to be confirmed still does. */
  apply(text: string, confirmWithinMs: number | undefined): Promise<Reloaded | Failure> {
    return this.#inTurn(() => this.#apply(text, confirmWithinMs));
  }

  confirm(): Promise<Done | Failure> {
    return this.#inTurn(() => this.#confirm());
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async #apply(text: string, confirmWithinMs: number | undefined): Promise<Reloaded | Failure> {
    const { file, reload } = this.#options;
    const earlier = this.#trial;
    const { previous, included } = earlier ?? this.#running;
    const before = readText(file);
    const until = (withinMs: number): Trial => ({
      file,
      previous,
      ...(included === undefined ? {} : { included }),
      untilWallMs: wallMs() + withinMs,
    });
    const unkept = confirmWithinMs === undefined ? undefined : this.#note(until(confirmWithinMs));
    const trouble = unkept ?? replaceFile(file, text);
    const outcome = trouble === undefined ? await reload() : { error: trouble };
    if ("error" in outcome || !outcome.reloaded) {
      if (trouble === undefined) replaceFile(file, before);
      this.#note(earlier);
      return outcome;
    }
    if (confirmWithinMs === undefined) {
      const kept = this.#forget();
      if (kept !== undefined) {
        if (earlier !== undefined) this.#begin(earlier);
        return { error: `it runs, but ${kept}: ${WOULD_GO_BACK}` };
      }
      if (earlier !== undefined) this.#options.say("configuration-confirmed", REPLACED);
    } else {
      // The time that the change itself took is the operator's.
      const trial = until(confirmWithinMs);
      this.#note(trial);
      this.#begin(trial);
    }
    return outcome;
  }

  #confirm(): Done | Failure {
    if (this.#trial === undefined)
      return { error: "there is no change that waits to be confirmed" };
    const trial = this.#trial;
    const kept = this.#forget();
    if (kept !== undefined) {
      this.#begin(trial);
      return { error: `${kept}: ${WOULD_GO_BACK}` };
    }
    this.#options.say("configuration-confirmed", "the operator confirmed the configuration");
    return { done: true };
  }

  /** What to go back to, on disk; undefined: nothing. The answer is what went wrong. */
  #note(trial: Trial | undefined): string | undefined {
    if (trial === undefined) return removeFile(this.#path);
    return replaceFile(this.#path, JSON.stringify(trial));
  }

  #begin(trial: Trial): void {
    this.#trial = trial;
    this.#options.guard.start();
    this.#wait(trial);
  }

  #wait(trial: Trial): void {
    const leftMs = Math.max(0, trial.untilWallMs - wallMs());
    const waitMs = Math.min(leftMs, LONGEST_TIMER_MS);
    const over = (): void => {
      if (waitMs < leftMs) this.#wait(trial);
      else void this.#inTurn(() => this.#rollBack(trial, false));
    };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(over, waitMs);
  }

  async #rollBack(trial: Trial, isAgain: boolean): Promise<void> {
    // Another one took its place, or it was confirmed, while this waited for its turn.
    if (this.#trial !== trial) return;
    const back = putBack(trial, this.#options.read);
    if (typeof back === "string") {
      // What to go back to is nowhere else: it is kept, and whoever ended this process would gain nothing.
      if (!isAgain) this.#say(`nobody confirmed the configuration; going back waits: ${back}`);
      this.#options.guard.dismiss();
      const again = (): void => void this.#inTurn(() => this.#rollBack(trial, true));
      this.#timer = setTimeout(again, TRY_AGAIN_MS);
      return;
    }
    const kept = this.#forget();
    // Whoever ended this process because of the note that stays would gain nothing.
    if (kept !== undefined) {
      this.#options.guard.dismiss();
      back.push(`${kept}; remove it before you edit, or it goes back again`);
    }
    const { reloaded, diagnostics } = await this.#options.reload();
    const how = reloaded
      ? [": the one before it runs again", ...back].join("; ")
      : `, and going back failed: ${firstMistake(diagnostics)}`;
    this.#say(`nobody confirmed the configuration${how}`);
  }

  #say(text: string): void {
    this.#options.say("configuration-rolled-back", text);
  }

  /** The answer says why what to go back to is still on disk. */
  #forget(): string | undefined {
    clearTimeout(this.#timer);
    this.#trial = undefined;
    return this.#note(undefined);
  }
}

/**
 * Before the configuration is read at a start: a change whose time ran out while nobody was there to
 * take it back is taken back now. True when it was.
 */
export function takeBackOverdue(
  named: string,
  stateDirectory: string,
  read: () => Iterable<string>,
): boolean {
  const file = resolve(named);
  const path = trialPath(stateDirectory);
  const trial = readTrial(path);
  if (trial === undefined || trial.file !== file || trial.untilWallMs > wallMs()) return false;
  const isBack = typeof putBack(trial, read) !== "string";
  // On a disk that cannot be written it is taken back at each start.
  if (isBack) removeFile(path);
  return isBack;
}

/**
 * All files as they were. What was tried is kept beside each: it may have been written there and nowhere else. A
 * file that was not read then and would be read now - `conf.d/*.yaml` finds it - is set aside under another name.
 * The answer tells both. A text: what went wrong.
 */
function putBack(
  { file, previous, included }: Trial,
  read: () => Iterable<string>,
): string[] | string {
  const texts = new Map([...Object.entries(included ?? {}), [file, previous]]);
  const notes: string[] = [];
  for (const [path, text] of texts) {
    if (readText(path) === text) continue;
    if (keepAside(path)) notes.push(`what was tried is kept as ${asidePath(path)}`);
    const trouble = replaceFile(path, text);
    if (trouble !== undefined) return trouble;
  }
  if (included === undefined) return notes;
  const strangers = [...read()].filter((path) => !texts.has(resolve(path)));
  for (const path of strangers) {
    try {
      renameSync(path, asidePath(path));
    } catch (error) {
      return `cannot rename ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
    }
    notes.push(`${path} was not part of it, and is now ${asidePath(path)}`);
  }
  return notes;
}

/** False: there is nothing to keep, or no room; going back does not wait for that. */
function keepAside(path: string): boolean {
  try {
    copyFileSync(path, asidePath(path));
    return true;
  } catch {
    return false;
  }
}

/** Hidden, so that `include: conf.d/*` does not read it. */
function asidePath(path: string): string {
  return join(dirname(path), `.${basename(path)}.unconfirmed`);
}

/** A change that nobody has confirmed or taken back yet. */
export function pendingTrial(stateDirectory: string): Trial | undefined {
  return readTrial(trialPath(stateDirectory));
}

function trialPath(stateDirectory: string): string {
  return join(stateDirectory, "unconfirmed.json");
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** In one step, behind a symbolic link as well; the answer is what went wrong. */
function replaceFile(path: string, text: string): string | undefined {
  let fresh: string | undefined;
  try {
    const facts = statSync(path, { throwIfNoEntry: false });
    const place = facts === undefined ? path : realpathSync(path);
    fresh = `${place}.nines-new`;
    writeFileSync(fresh, text, { mode: (facts?.mode ?? 0o600) & 0o777, flush: true });
    if (facts !== undefined) chownSync(fresh, facts.uid, facts.gid);
    renameSync(fresh, place);
    return undefined;
  } catch (error) {
    if (fresh !== undefined) rmSync(fresh, { force: true });
    return `cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
}

/** The answer is what went wrong. */
function removeFile(path: string): string | undefined {
  try {
    rmSync(path, { force: true });
    return undefined;
  } catch (error) {
    return `cannot remove ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
}

function readTrial(path: string): Trial | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const { file, previous, included, untilWallMs } = value as Partial<Trial>;
    if (typeof file !== "string" || typeof previous !== "string") return undefined;
    if (typeof untilWallMs !== "number") return undefined;
    return { file, previous, ...(included === undefined ? {} : { included }), untilWallMs };
  } catch {
    return undefined;
  }
}
