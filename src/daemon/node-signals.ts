/** What signals ask of a node, as keepalived has it. */

export interface NodeSignals {
  readonly end: (signal: string) => void;
  /** A second time: what the end waits for ends now. */
  readonly hurry: (reason: string) => void;
  readonly reload: () => void;
  readonly note: (text: string) => void;
}

export function listenToSignals({ end, hurry, reload, note }: NodeSignals): void {
  let isEnding = false;
  const ended = (signal: string): void => {
    if (isEnding) hurry(`a second signal, ${signal}`);
    isEnding = true;
    end(signal);
  };
  process.on("SIGTERM", ended);
  process.on("SIGINT", ended);
  process.on("SIGHUP", reload);
  const hint = "see `nines status`, `nines status --json` and `nines metrics` instead";
  process.on("SIGUSR1", () => note(`keepalived would dump its data: ${hint}`));
  process.on("SIGUSR2", () => note(`keepalived would dump statistics: ${hint}`));
}
