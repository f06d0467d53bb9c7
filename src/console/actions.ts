/**
 * Orders of operators: looked at first, confirmed then. A preview says what will move and what is left;
 * its token binds the confirmation to exactly that, for that visitor, for two minutes, once. Whatever
 * is tried stands in the journal.
 */

import { createHmac, randomBytes } from "node:crypto";
import type { Consequences } from "../core/survival/action-safety.ts";
import type { JournalRecord } from "../core/journal/record.ts";
import type {
  ActionConfirmation,
  ActionName,
  ActionOutcome,
  ActionPreview,
  ActionRequest,
  Problem,
  Sentence,
  Viewer,
} from "./api.ts";
import { problem } from "./routes.ts";
import { isSameDigest } from "./tokens.ts";

/** A preview older than that is not believed. */
const VALID_MS = 120_000;
const MAX_USED = 10_000;

export interface Prospect extends Consequences {
  /** The line that does the same. */
  readonly command: string;
  /** Everything that the judgement rests on: when that is another one, the preview is void. */
  readonly basis: unknown;
}

export interface Action {
  /** One that is confirmed meanwhile is judged when it is done: each of two may be safe, and both of them not. */
  readonly oneByOne?: boolean;
  /** Undefined: there is no such thing. */
  look(request: ActionRequest): Prospect | Promise<Prospect>;
  /** Throws when it cannot be done, with the next move in the message. */
  perform(request: ActionRequest, order: Ordered): Promise<Sentence>;
}

export interface Ordered {
  readonly who: string;
  readonly reason: string;
}

export interface ActionsOptions {
  readonly key: Buffer;
  readonly find: (name: ActionName) => Action | undefined;
  /** Brings what is known up to date; a sentence when that cannot be. */
  readonly refresh: () => Promise<string | undefined>;
  readonly audit: (entry: Audit) => void;
}

export type Audit = Pick<JournalRecord, "level" | "kind" | "subject" | "reason"> & {
  readonly data: Readonly<Record<string, unknown>>;
};

export interface Asker extends Viewer {
  readonly from: string;
}

export class Actions {
  readonly #options: ActionsOptions;
  readonly #used = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ActionsOptions) {
    this.#options = options;
  }

  async preview(
    request: ActionRequest,
    asker: Asker,
    nowMs: number,
  ): Promise<ActionPreview | Problem> {
    const prospect = await this.#look(request);
    if ("detail" in prospect) return prospect;
    const { moves, left, refused, command } = prospect;
    const expiresMs = nowMs + VALID_MS;
    const preview = { action: request, moves, left, command, expiresMs };
    if (refused !== undefined && !refused.override) return { ...preview, refused: refused.why };
    const nonce = `${expiresMs}.${randomBytes(12).toString("hex")}`;
    const confirm = `${nonce}.${this.#seal(nonce, request, asker, prospect)}`;
    if (refused === undefined) return { ...preview, confirm };
    return { ...preview, refused: refused.why, override: request.subject, confirm };
  }

  perform(
    given: ActionConfirmation,
    asker: Asker,
    nowMs: number,
  ): Promise<ActionOutcome | Problem> {
    const work = (): Promise<ActionOutcome | Problem> => this.#perform(given, asker, nowMs);
    if (this.#options.find(given.action)?.oneByOne !== true) return work();
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #perform(
    given: ActionConfirmation,
    asker: Asker,
    nowMs: number,
  ): Promise<ActionOutcome | Problem> {
    const { confirm, reason, override: _override, ...request } = given;
    const prospect = await this.#look(request);
    if ("detail" in prospect) return prospect;
    const trouble = this.#troubleWith(given, asker, prospect, nowMs);
    const entry = { request, asker, reason, command: prospect.command };
    if (trouble !== undefined) {
      this.#audit("operator-refused", "warning", entry, trouble.detail);
      return trouble;
    }
    this.#remember(confirm);
    const insisted = prospect.refused === undefined ? "" : ` although ${prospect.refused.why.text}`;
    this.#audit("operator-asked", "info", entry, `asked for${insisted}: ${reason}`);
    const action = this.#options.find(request.action)!;
    try {
      const sentence = await action.perform(request, { who: asker.who, reason });
      this.#audit("operator-done", "info", entry, sentence.text);
      return { done: true, sentence };
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#audit("operator-failed", "error", entry, detail);
      return problem(422, "failed", detail);
    }
  }

  async #look(request: ActionRequest): Promise<Prospect | Problem> {
    const action = this.#options.find(request.action);
    if (action === undefined) {
      return problem(404, "no-such-action", `this node cannot do '${request.action}'`);
    }
    const stale = await this.#options.refresh();
    if (stale !== undefined) {
      const detail = `${stale}; nothing is ordered on old news`;
      return problem(503, "stale", detail);
    }
    try {
      return await action.look(request);
    } catch (error) {
      return problem(422, "failed", error instanceof Error ? error.message : String(error));
    }
  }

  #troubleWith(
    { confirm, override, ...rest }: ActionConfirmation,
    asker: Asker,
    prospect: Prospect,
    nowMs: number,
  ): Problem | undefined {
    const { reason: _reason, ...request } = rest;
    const [, nonce, expires, seal] =
      /^((\d{1,16})\.[0-9a-f]{24})\.([0-9a-f]{64})$/u.exec(confirm) ?? [];
    if (nonce === undefined || seal === undefined) {
      return problem(400, "no-preview", "ask for a preview first, and send what it says");
    }
    if (nowMs >= Number(expires)) {
      return problem(409, "old-preview", "the preview is older than two minutes: look again");
    }
    if (this.#used.has(confirm)) {
      return problem(409, "used-preview", "that was confirmed already: look again");
    }
    if (!isSameDigest(this.#seal(nonce, request, asker, prospect), seal)) {
      return problem(409, "changed", "something changed since the preview: look again");
    }
    const { refused } = prospect;
    if (refused === undefined) return undefined;
    if (!refused.override) return problem(422, refused.why.code, refused.why.text);
    if (override === request.subject) return undefined;
    return problem(422, refused.why.code, `${refused.why.text}; to insist type ${request.subject}`);
  }

  #remember(confirm: string): void {
    this.#used.add(confirm);
    if (this.#used.size <= MAX_USED) return;
    const oldest = this.#used.values().next();
    if (oldest.done !== true) this.#used.delete(oldest.value);
  }

  #seal(nonce: string, request: ActionRequest, asker: Asker, prospect: Prospect): string {
    const { action, subject, weight = "", deadlineMs = "", node = "" } = request;
    const { basis, refused, command } = prospect;
    const all = [
      nonce,
      asker.who,
      [action, subject, weight, deadlineMs, node],
      basis,
      refused?.why.code ?? "",
      command,
    ];
    return createHmac("sha256", this.#options.key).update(JSON.stringify(all)).digest("hex");
  }

  #audit(
    kind: string,
    level: Audit["level"],
    entry: {
      readonly request: ActionRequest;
      readonly asker: Asker;
      readonly reason: string;
      readonly command: string;
    },
    text: string,
  ): void {
    const { request, asker, reason, command } = entry;
    const { who, from } = asker;
    this.#options.audit({
      level,
      kind,
      subject: request.subject,
      reason: `${who} (${from}), ${request.action} ${request.subject}: ${text}`,
      data: { ...request, who, from, why: reason, command },
    });
  }
}
