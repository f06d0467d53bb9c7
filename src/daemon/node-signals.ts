/** What signals ask of a node, as keepalived has it. */

export interface NodeSignals {
  readonly end: (signal: string) => void;
  /** A second time: what the end waits for ends now. */
  readonly hurry: (reason: string) => void;
  readonly reload: () => void;
  readonly note: (text: string) => void;
}

const HELD = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
const early: NodeJS.Signals[] = [];

/** From the first moment on: what comes before `listenToSignals` waits for it, and ends nobody meanwhile. */
export function holdSignals(): void {
  for (const signal of HELD) process.on(signal, hold);
}

/** Who wants the end a second time waits for nothing. */
function hold(signal: NodeJS.Signals): void {
  if (signal !== "SIGHUP" && early.some((one) => one !== "SIGHUP")) {
    process.off(signal, hold);
    process.kill(process.pid, signal);
  }
  early.push(signal);
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
  for (const signal of HELD) process.off(signal, hold);
  for (const signal of early.splice(0)) process.emit(signal, signal);
}
