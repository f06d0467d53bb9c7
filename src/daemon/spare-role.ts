/**
 * A vrrp process in reserve: it has loaded its code and waits on a pipe. When the one that works
 * dies, the spare is in its place in a few ms; a cold start takes a few hundred, on a busy
 * machine more than a lease lasts. It ends with the control process that keeps it.
 */

import type { ChildProcess } from "node:child_process";
import { recordedRole, spawnRole, type RoleCommand } from "./role-spawn.ts";

export class SpareRole {
  readonly #command: RoleCommand;
  #child: ChildProcess | undefined;

  /** `command`: of the process that it is to replace. */
  constructor(command: RoleCommand) {
    this.#command = { ...command, role: "spare" };
  }

  /** Starts one unless there is one. */
  prepare(): void {
    if (this.#child !== undefined) return;
    const child = spawnRole(this.#command);
    this.#child = child;
    const forget = (): void => {
      if (this.#child === child) this.#child = undefined;
    };
    child.once("exit", forget);
    child.once("error", forget);
    // Writing to one that just died is an error of the pipe; its exit is told anyway.
    child.stdin?.on("error", () => {});
  }

  /** From now on it is the vrrp process, loaded or still loading. Undefined: there is none. */
  call(): ChildProcess | undefined {
    const child = this.#child;
    this.#child = undefined;
    child?.stdin?.end(CALL);
    return child;
  }

  /** It has loaded everything and waits. */
  get isLoaded(): boolean {
    const pid = this.#child?.pid;
    return pid !== undefined && recordedRole(this.#command) === pid;
  }

  close(): void {
    this.#child?.stdin?.end();
  }
}

const CALL = "go\n";

/** In the spare: true when it is called, false when whoever kept it is gone. */
export async function isCalled(): Promise<boolean> {
  let said = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) said += String(chunk);
  return said === CALL;
}
