/**
 * `nines apply`: a file takes the place of the running configuration; with a time limit it goes back
 * by itself unless the operator confirms. What to go back to is on disk before anything is changed,
 * so that the end of this process does not make an unconfirmed change last: whoever runs next takes it
 * back, and `trial-guard.ts` sees to it that somebody does.
 */

import { chownSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wallMs } from "../drivers/clock.ts";
import type { Done, Failure, Reloaded } from "./control-api.ts";

export interface Trial {
  /** Where the configuration runs from. */
  readonly file: string;
  /** What was there before. */
  readonly previous: string;
  /** Unix ms. */
  readonly untilWallMs: number;
}

export interface TrialOptions {
  readonly file: string;
  readonly stateDirectory: string;
  readonly reload: () => Promise<Reloaded>;
  /** Somebody outside of this process shall see to it that it goes back. */
  readonly guard: () => void;
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
  /** The text that runs now: the file itself may have been edited since. */
  #running: string;

  constructor(options: TrialOptions) {
    this.#options = options;
    this.#path = trialPath(options.stateDirectory);
    this.#running = readText(options.file);
    const left = readTrial(this.#path);
    if (left?.file === options.file) this.#begin(left);
  }

  /** Ms until the change is taken back; undefined when there is nothing to confirm. */
  get leftMs(): number | undefined {
    return this.#trial === undefined ? undefined : this.#trial.untilWallMs - wallMs();
  }

  /** The running configuration was read from the file. */
  loaded(): void {
    this.#running = readText(this.#options.file);
  }

  /** `text`: what shall run. Refused: nothing has changed. */
  async apply(text: string, confirmWithinMs: number | undefined): Promise<Reloaded | Failure> {
    const { file } = this.#options;
    const previous = this.#trial?.previous ?? this.#running;
    const before = readText(file);
    const trouble = this.#prepare(previous, confirmWithinMs) ?? replaceFile(file, text);
    if (trouble !== undefined) return { error: trouble };
    const outcome = await this.#options.reload();
    if (!outcome.reloaded) {
      replaceFile(file, before);
      this.#forget();
      return outcome;
    }
    if (confirmWithinMs === undefined) this.#forget();
    else this.#begin({ file, previous, untilWallMs: wallMs() + confirmWithinMs });
    return outcome;
  }

  confirm(): Done | Failure {
    if (this.#trial === undefined)
      return { error: "there is no change that waits to be confirmed" };
    this.#forget();
    this.#options.say("configuration-confirmed", "the operator confirmed the configuration");
    return { done: true };
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #prepare(previous: string, confirmWithinMs: number | undefined): string | undefined {
    if (confirmWithinMs === undefined) return undefined;
    const untilWallMs = wallMs() + confirmWithinMs;
    return replaceFile(
      this.#path,
      JSON.stringify({ file: this.#options.file, previous, untilWallMs }),
    );
  }

  #begin(trial: Trial): void {
    this.#trial = trial;
    this.#options.guard();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => void this.#rollBack(trial),
      Math.max(0, trial.untilWallMs - wallMs()),
    );
  }

  async #rollBack({ file, previous }: Trial): Promise<void> {
    const trouble = replaceFile(file, previous);
    this.#forget();
    const outcome = await this.#options.reload();
    const went = outcome.reloaded && trouble === undefined;
    const text = went
      ? "nobody confirmed the configuration: the one before it runs again"
      : `nobody confirmed the configuration, and going back failed: ${trouble ?? outcome.diagnostics[0]}`;
    this.#options.say("configuration-rolled-back", text);
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#trial = undefined;
    rmSync(this.#path, { force: true });
  }
}

/**
 * Before the configuration is read at a start: a change whose time ran out while nobody was there to
 * take it back is taken back now. True when it was.
 */
export function takeBackOverdue(file: string, stateDirectory: string): boolean {
  const path = trialPath(stateDirectory);
  const trial = readTrial(path);
  if (trial === undefined || trial.file !== file || trial.untilWallMs > wallMs()) return false;
  const trouble = replaceFile(file, trial.previous);
  if (trouble === undefined) rmSync(path, { force: true });
  return trouble === undefined;
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

/** In one step; the answer is what went wrong. */
function replaceFile(path: string, text: string): string | undefined {
  try {
    const fresh = `${path}.nines-new`;
    const facts = statSync(path, { throwIfNoEntry: false });
    writeFileSync(fresh, text, { mode: (facts?.mode ?? 0o600) & 0o777, flush: true });
    if (facts !== undefined) chownSync(fresh, facts.uid, facts.gid);
    renameSync(fresh, path);
    return undefined;
  } catch (error) {
    return `cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
}

function readTrial(path: string): Trial | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const { file, previous, untilWallMs } = value as Partial<Trial>;
    if (typeof file !== "string" || typeof previous !== "string") return undefined;
    return typeof untilWallMs === "number" ? { file, previous, untilWallMs } : undefined;
  } catch {
    return undefined;
  }
}
