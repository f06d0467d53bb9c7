/** Mails that are not delivered yet, kept in a file so that no death of a process loses them. */

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mail } from "../core/notify/commands.ts";

export class MailSpool {
  readonly #path: string;

  constructor(directory: string) {
    this.#path = join(directory, "mail.json");
  }

  /** What an earlier life left. A file that cannot be understood counts as empty. */
  load(): readonly Mail[] {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#path, "utf8"));
      return Array.isArray(value) ? value.filter((entry) => isMail(entry)) : [];
    } catch {
      return [];
    }
  }

  /** Replaces the file in one step (0600). A text says why that failed. */
  save(mails: readonly Mail[]): string | undefined {
    const fresh = `${this.#path}.new`;
    try {
      if (mails.length === 0) {
        rmSync(this.#path, { force: true });
        return undefined;
      }
      writeFileSync(fresh, JSON.stringify(mails), { mode: 0o600, flush: true });
      renameSync(fresh, this.#path);
      return undefined;
    } catch (error) {
      rmSync(fresh, { force: true });
      const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
      return `waiting mails cannot be kept in ${this.#path} (${code})`;
    }
  }
}

function isMail(value: unknown): value is Mail {
  if (typeof value !== "object" || value === null) return false;
  const { subject, text } = value as Partial<Mail>;
  return typeof subject === "string" && typeof text === "string";
}
