/**
 * One `track_file`: a file that holds an integer. Writers truncate before they write, so an
 * empty or odd content is read once more before it is believed.
 */

import type { Machine } from "../../lib/deadline-machine.ts";
import type { FileSettings } from "../vrrp/settings.ts";

export type FileInput =
  | { readonly type: "woken" }
  /** Undefined `text`: the file does not exist or cannot be read; `problem` says why. */
  | { readonly type: "file-read"; readonly text?: string; readonly problem?: string };

export type FileAction =
  | { readonly type: "read-file" }
  | {
      readonly type: "report-track";
      /** As keepalived for weight 0: zero is good, anything else is a failure. */
      readonly ok: boolean;
      readonly value: number;
      readonly reason: string;
    };

/** How long a half-written file may last, ms. */
const SETTLE_MS = 50;

const VALUE_LIMIT = 2_147_483_647;

export class FileTrack implements Machine<FileInput, FileAction> {
  readonly #settings: FileSettings;
  #settleAt = Infinity;
  #unsettled = false;
  #report: Extract<FileAction, { type: "report-track" }> | undefined;

  constructor(settings: FileSettings) {
    this.#settings = settings;
  }

  get report(): Extract<FileAction, { type: "report-track" }> | undefined {
    return this.#report;
  }

  get deadline(): number {
    return this.#settleAt;
  }

  step(now: number, input: FileInput): readonly FileAction[] {
    if (input.type === "woken") {
      if (now < this.#settleAt) return [];
      this.#settleAt = Infinity;
      return [{ type: "read-file" }];
    }
    const value = input.text === undefined ? 0 : parseTrackValue(input.text);
    if (value === undefined && !this.#unsettled) {
      this.#unsettled = true;
      this.#settleAt = now + SETTLE_MS;
      return [];
    }
    if (value !== undefined || now >= this.#settleAt) this.#settleAt = Infinity;
    else if (this.#settleAt !== Infinity) return [];
    this.#unsettled = false;
    return this.#conclude(value ?? 0, this.#sentence(input, value));
  }

  #conclude(value: number, reason: string): readonly FileAction[] {
    if (this.#report?.value === value) return [];
    this.#report = { type: "report-track", ok: value === 0, value, reason };
    return [this.#report];
  }

  #sentence(input: { readonly text?: string; readonly problem?: string }, value?: number): string {
    const file = `file ${this.#settings.path}`;
    if (input.text === undefined) return `${file} ${input.problem ?? "is missing"}, taken as 0`;
    return value === undefined ? `${file} holds no number, taken as 0` : `${file} holds ${value}`;
  }
}

/** The integer that the text starts with, clamped to 32 bits; undefined when there is none. */
export function parseTrackValue(text: string): number | undefined {
  const found = /^\s*([+-]?\d+)/.exec(text);
  if (found === null) return undefined;
  return Math.max(-VALUE_LIMIT, Math.min(VALUE_LIMIT, Number(found[1]))) + 0;
}
