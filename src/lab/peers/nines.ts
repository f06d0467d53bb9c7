/** Nines itself inside a host, started as a user starts it. */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { InstanceStatus, RouterStatus } from "../../core/vrrp/status.ts";
import type { Host } from "../host.ts";
import { askControl } from "../control-socket.ts";
import type { LabProcess } from "../process.ts";
import { commandLineOf, signal } from "../process-table.ts";
import { waitFor } from "../wait.ts";

/** The parts of the control API's events that stories and tests read. */
export interface NinesEvent {
  readonly seq: number;
  readonly time: string;
  readonly kind: string;
  readonly instance: string;
  readonly reason: string;
  readonly from?: string;
  readonly to?: string;
}

export interface NinesOptions {
  /** More arguments of `nines run`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export const BIN: string = resolve(dirname(fileURLToPath(import.meta.url)), "../../../bin/nines");
export const RUN_DIRECTORY = "/run/nines";
export const STATE_DIRECTORY = "/run/nines-state";

/** Which copy of Nines, and where it keeps what it needs while it runs. */
export interface NinesPlace {
  /** Of its process in the host. */
  readonly name: string;
  readonly bin: string;
  readonly runDirectory: string;
  readonly stateDirectory: string;
}

const USUAL: NinesPlace = {
  name: "nines",
  bin: BIN,
  runDirectory: RUN_DIRECTORY,
  stateDirectory: STATE_DIRECTORY,
};

/** The page and API of the node, as this machine sees the socket. */
export function consoleSocket(host: Host): string {
  return host.outside(`${RUN_DIRECTORY}/console.sock`);
}

/** `nines run -f FILE`; resolves when it says what its instances do. `file` as the host sees it. */
export async function startNines(
  host: Host,
  file: string,
  options: NinesOptions = {},
): Promise<NinesPeer> {
  const directories = ["--run-dir", RUN_DIRECTORY, "--state-dir", STATE_DIRECTORY];
  const argv = [BIN, "run", "-f", file, ...directories, ...(options.args ?? [])];
  const supervisor = await host.start(argv, { name: "nines", env: options.env ?? {} });
  const peer = new NinesPeer(host, supervisor);
  const hasStates = async (): Promise<boolean> => {
    if (!supervisor.isRunning) throw new Error(`nines of ${host.name} ended: ${supervisor.log}`);
    return Object.keys(await peer.states()).length > 0;
  };
  await waitFor(hasStates, 15_000, `nines of ${host.name}`);
  return peer;
}

/**
 * Nines as a balancer: `nines run` or `nines balance` with these words; resolves when every
 * worker accepts on all frontends.
 */
export async function startBalancer(
  host: Host,
  words: readonly string[],
  env: NonNullable<NinesOptions["env"]> = {},
  place: NinesPlace = USUAL,
): Promise<NinesPeer> {
  const { name, bin, runDirectory, stateDirectory } = place;
  const directories = ["--run-dir", runDirectory, "--state-dir", stateDirectory];
  const supervisor = await host.start([bin, ...words, ...directories], { name, env });
  const peer = new NinesPeer(host, supervisor, place);
  const serves = async (): Promise<boolean> => {
    if (!supervisor.isRunning) return true;
    const { roles } = (await peer.get("/v1/status")) as StatusOfRoles;
    const workers = roles.filter(({ name }) => name === "balance");
    return workers.length > 0 && workers.every(({ state }) => state === "running");
  };
  await waitFor(serves, 15_000, `the balancer of ${host.name}`);
  if (!supervisor.isRunning) throw new Error(`nines of ${host.name} ended: ${supervisor.log}`);
  return peer;
}

interface StatusOfRoles {
  readonly roles: readonly { readonly name: string; readonly state: string }[];
}

export class NinesPeer {
  readonly host: Host;
  readonly supervisor: LabProcess;
  readonly #place: NinesPlace;

  constructor(host: Host, supervisor: LabProcess, place: NinesPlace = USUAL) {
    this.host = host;
    this.supervisor = supervisor;
    this.#place = place;
  }

  /** Outside numbers of its processes of that role, whoever their parent is now. */
  pids(role: "vrrp" | "check" | "spare" | "balance" | "console"): number[] {
    return this.#pids().filter((pid) => commandLineOf(pid).join(" ").includes(` role ${role} `));
  }

  /** SIGKILL to all of its processes: a crash that leaves the addresses to the kernel. */
  kill(): void {
    const all = this.#pids();
    for (const pid of all) signal(pid, "SIGSTOP");
    for (const pid of all) signal(pid, "SIGKILL");
    this.supervisor.kill();
  }

  /** SIGSTOP to all of its processes. */
  hang(): void {
    for (const pid of this.#pids()) signal(pid, "SIGSTOP");
  }

  resume(): void {
    for (const pid of this.#pids()) signal(pid, "SIGCONT");
    this.supervisor.resume();
  }

  /** Instance name -> `MASTER`, `BACKUP`, `FAULT` …; empty until the router has answered. */
  async states(): Promise<Record<string, string>> {
    return Object.fromEntries((await this.#instances()).map((i) => [i.name, i.state]));
  }

  /** Undefined until the router has answered, or when there is none of that name. */
  async instance(name: string): Promise<InstanceStatus | undefined> {
    return (await this.#instances()).find((i) => i.name === name);
  }

  async #instances(): Promise<readonly InstanceStatus[]> {
    const status = (await this.get("/v1/status")) as { router?: RouterStatus };
    return status.router?.instances ?? [];
  }

  async events(since = 0): Promise<NinesEvent[]> {
    return (await this.get(`/v1/events?since=${since}`)) as NinesEvent[];
  }

  /** Any other answer of the control API, parsed. Rejects when the node does not answer. */
  get(path: string): Promise<unknown> {
    return this.#ask("GET", path);
  }

  post(path: string, body?: object): Promise<unknown> {
    return this.#ask("POST", path, body);
  }

  /** A subcommand that talks to this node, as its operator types it. Resolves to what it prints. */
  nines(...words: string[]): Promise<string> {
    // Fresh workers may take 20 s on a machine that is busy, and an upgrade starts all processes.
    const { bin, runDirectory } = this.#place;
    const argv = [bin, ...words, "--run-dir", runDirectory];
    return this.host.run(argv, { timeoutMs: 60_000 });
  }

  #ask(method: string, path: string, body?: object): Promise<unknown> {
    const socketPath = this.host.outside(`${this.#place.runDirectory}/control.sock`);
    return askControl(socketPath, { method, path, ...(body === undefined ? {} : { body }) });
  }

  #pids(): number[] {
    const ours = `--run-dir ${this.#place.runDirectory} `;
    return this.host.pids().filter((pid) => {
      const words = `${commandLineOf(pid).join(" ")} `;
      return IS_NINES.test(words) && words.includes(ours);
    });
  }
}

const IS_NINES = /\/bin\/nines(\.ts|\.js)? (run|balance|role) /;
