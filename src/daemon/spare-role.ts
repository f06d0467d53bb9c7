/**
 * A vrrp process in reserve: it has loaded its code, knows the configuration, is connected with the
 * check process and waits on a pipe. When the one that works dies or hangs, the spare goes on in
 * its place in some 10 ms; a cold start takes a few hundred, on a busy machine more than a lease
 * lasts. It ends with the control process that keeps it.
 */

import type { ChildProcess } from "node:child_process";
import { lineSplitter } from "./line-connection.ts";
import {
  decodeLine,
  encodeLine,
  ROLE_PROTOCOL,
  type Message,
  type RoleConfiguration,
} from "./role-protocol.ts";
import { recordedRole, spawnRole, type RoleCommand } from "./role-spawn.ts";

export class SpareRole {
  readonly #command: RoleCommand;
  #child: ChildProcess | undefined;
  #configuration: string | undefined;

  /** `command`: of the process that it is to replace. */
  constructor(command: RoleCommand) {
    this.#command = { ...command, role: "spare" };
  }

  /** What it carries out when it is called. */
  brief(configuration: string): void {
    this.#configuration = configuration;
    this.#child?.stdin?.write(configuration);
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
    if (this.#configuration !== undefined) child.stdin?.write(this.#configuration);
  }

  /** From now on it is the vrrp process, loaded or still loading. Undefined: there is none. */
  call(): ChildProcess | undefined {
    const child = this.#child;
    this.#child = undefined;
    child?.stdin?.end(`${CALL}\n`);
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

const KIND = { type: "configure", protocol: ROLE_PROTOCOL } as const;

/** What a spare is briefed with. */
export function briefing(configuration: RoleConfiguration): string {
  return encodeLine({ ...configuration, ...KIND });
}

const CALL = "go";

export interface Call {
  /** Absent: of a control process of another version, which tells when it has connected. */
  readonly configuration?: RoleConfiguration;
}

/** Undefined: of another version, which may mean something else by it. */
export function readBriefing(line: string): RoleConfiguration | undefined {
  const message = decodeLine(line) as (Message & RoleConfiguration & typeof KIND) | undefined;
  return message?.protocol === ROLE_PROTOCOL ? message : undefined;
}

/** In the spare: undefined when whoever kept it is gone. `briefed`: at the first one. */
export function untilCalled(
  briefed: (configuration: RoleConfiguration) => void,
): Promise<Call | undefined> {
  return new Promise((resolve) => {
    let call: Call = {};
    const split = lineSplitter((line) => {
      if (line === CALL) return resolve(call);
      const isFirst = call.configuration === undefined;
      const configuration = readBriefing(line);
      if (configuration === undefined) return;
      call = { configuration };
      if (isFirst) briefed(configuration);
    });
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", (chunk: string) => {
      if (!split(chunk)) resolve(undefined);
    });
    process.stdin.on("end", () => resolve(undefined));
    process.stdin.on("error", () => resolve(undefined));
  });
}
