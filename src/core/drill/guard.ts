/**
 * The watchdog's mind: it lets go only when it was told that the drill is over and everything has
 * been undone. It undoes by itself when its conductor dies, falls silent, or takes too long.
 */

export interface GuardSettings {
  /** The whole drill may take so long, ms. */
  readonly withinMs: number;
  /** The conductor speaks at least so often, ms. */
  readonly silenceMs: number;
}

export type GuardInput =
  | { readonly type: "woken" }
  | { readonly type: "beat" }
  /** The conductor's word that it is over. */
  | { readonly type: "undo-asked" }
  /** The pipe to the conductor is closed. */
  | { readonly type: "conductor-gone" }
  | { readonly type: "stop-asked" };

/** Once in its life. `asked`: by the conductor, who waits for the answer. */
export interface GuardOrder {
  readonly type: "undo";
  readonly reason: string;
  readonly asked: boolean;
}

export class Guard {
  readonly #settings: GuardSettings;
  readonly #endMs: number;
  #silentMs: number;
  #isDone = false;

  constructor(settings: GuardSettings, now: number) {
    this.#settings = settings;
    this.#endMs = now + settings.withinMs;
    this.#silentMs = now + settings.silenceMs;
  }

  get deadline(): number {
    return this.#isDone ? Infinity : Math.min(this.#endMs, this.#silentMs);
  }

  step(now: number, input: GuardInput): GuardOrder | undefined {
    if (this.#isDone) return undefined;
    switch (input.type) {
      case "beat":
        this.#silentMs = now + this.#settings.silenceMs;
        return undefined;
      case "undo-asked":
        return this.#undo("the drill is over", true);
      case "conductor-gone":
        return this.#undo("the conductor is gone");
      case "stop-asked":
        return this.#undo("the guard was told to stop");
      case "woken":
        if (now >= this.#endMs) return this.#undo("the drill took too long");
        if (now >= this.#silentMs) return this.#undo("the conductor has fallen silent");
        return undefined;
    }
  }

  #undo(reason: string, asked = false): GuardOrder {
    this.#isDone = true;
    return { type: "undo", reason, asked };
  }
}
