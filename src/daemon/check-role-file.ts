/** One `track_file` at work. */

import { FileTrack, type FileInput } from "../core/check/file-track.ts";
import type { FileSettings } from "../core/vrrp/settings.ts";
import { monotonicMs } from "../drivers/clock.ts";
import { FileWatch, initialiseFile } from "../drivers/file-watch.ts";
import type { Agenda, Sleeper } from "./agenda.ts";
import type { CheckLink } from "./check-role-link.ts";

export class FileCheck implements Sleeper {
  readonly #settings: FileSettings;
  readonly #link: CheckLink;
  readonly #agenda: Agenda;
  readonly #track: FileTrack;
  readonly #watch: FileWatch;

  /** `isKnown`: an earlier process, or one with other settings, has begun with it. */
  constructor(
    settings: FileSettings,
    at: { readonly link: CheckLink; readonly agenda: Agenda; readonly isKnown: boolean },
  ) {
    const { link, agenda, isKnown } = at;
    this.#settings = settings;
    this.#link = link;
    this.#agenda = agenda;
    this.#track = new FileTrack(settings);
    const { path, initialValue, overwrite } = settings;
    if (initialValue !== undefined) {
      // At the start of the node: what was written since is the word of whoever watches.
      const problem = initialiseFile(path, initialValue, overwrite && !isKnown);
      if (problem !== undefined) {
        const reason = `track_file ${settings.name}: ${problem}`;
        link.tell({ instance: "", kind: "configuration-error", reason });
      }
    }
    this.#watch = new FileWatch(path, (content) => this.#step({ type: "file-read", ...content }));
    agenda.add(this);
  }

  get deadline(): number {
    return this.#track.deadline;
  }

  wake(): void {
    this.#step({ type: "woken" });
  }

  /** Tells the value, if it is known, once more. */
  report(): void {
    const report = this.#track.report;
    if (report === undefined) return;
    const { ok, value, reason } = report;
    const { name } = this.#settings;
    this.#link.send({ type: "track-changed", kind: "file", name, ok, value, reason });
  }

  close(): void {
    this.#agenda.delete(this);
    this.#watch.close();
  }

  #step(input: FileInput): void {
    for (const action of this.#track.step(monotonicMs(), input)) {
      if (action.type === "read-file") this.#watch.read();
      else this.report();
    }
    this.#agenda.settle();
  }
}
