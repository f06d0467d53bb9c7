/** What systemd is told about this process (`Type=notify`). Without systemd: nothing. */

import { sdNotify } from "../drivers/sd-notify.ts";
import { monotonicMs } from "../drivers/clock.ts";

export class ServiceManager {
  readonly #socketPath: string | undefined;
  /** How often to say that we live, ms; 0 = nobody asked. */
  readonly watchdogMs: number;

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#socketPath = environment["NOTIFY_SOCKET"];
    const timeoutUs = Number(environment["WATCHDOG_USEC"] ?? 0);
    const pid = environment["WATCHDOG_PID"];
    const meant = pid === undefined || Number(pid) === process.pid;
    // Thrice per timeout, so that one late tick is no death.
    this.watchdogMs = meant && timeoutUs > 0 ? timeoutUs / 3000 : 0;
  }

  ready(status: string): void {
    this.#say(`READY=1\nMAINPID=${process.pid}\nSTATUS=${oneLine(status)}`);
  }

  reloading(): void {
    this.#say(`RELOADING=1\nMONOTONIC_USEC=${Math.floor(monotonicMs() * 1000)}`);
  }

  status(status: string): void {
    this.#say(`STATUS=${oneLine(status)}`);
  }

  stopping(): void {
    this.#say("STOPPING=1");
  }

  alive(): void {
    this.#say("WATCHDOG=1");
  }

  #say(state: string): void {
    // A manager that does not listen is its own trouble; the service goes on.
    if (this.#socketPath !== undefined) sdNotify(this.#socketPath, state);
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
