import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { ipBatch, run, spawnError } from "./command.ts";
import type { RunOptions } from "./command.ts";
import { KEEPERS, NETNS_DIRECTORY } from "./host-boot.ts";
import type { HostState, InterfaceState } from "./plan.ts";
import { LabProcess, enter } from "./process.ts";
import {
  commandLineOf,
  programNames,
  parentOf,
  pidsInNetworkNamespace,
  programOf,
} from "./process-table.ts";
import type { StartOptions } from "./process.ts";

/** Letters of a log that a report of a failure shows. */
const LOG_TAIL = 3000;

/** They live in the host's network namespace, but outside of its PID namespace. */
const WRAPPERS: ReadonlySet<string> = new Set(["nsenter", "unshare"]);

/** A computer of the world. */
export class Host {
  readonly state: HostState;
  /** Where the ports of its cables are. */
  readonly wire: string;
  readonly #processes: LabProcess[] = [];

  constructor(state: HostState, wire: string) {
    this.state = state;
    this.wire = wire;
  }

  get name(): string {
    return this.state.name;
  }

  /** Name of its network namespace. */
  get namespace(): string {
    return this.state.namespace;
  }

  get isOn(): boolean {
    return this.state.initPid !== undefined;
  }

  /** Started here by this program, dead ones included. */
  get processes(): readonly LabProcess[] {
    return this.#processes;
  }

  /** Outside numbers of everything that runs inside, its process 1 and wrappers left out. */
  pids(): number[] {
    const all = pidsInNetworkNamespace(`${NETNS_DIRECTORY}/${this.namespace}`);
    const init = this.state.initPid;
    return all.filter((pid) => {
      if (pid === init || WRAPPERS.has(basename(programOf(pid) ?? ""))) return false;
      return !(parentOf(pid) === init && KEEPERS.includes(commandLineOf(pid).join(" ")));
    });
  }

  /** Those of them that run this program, by its file name, or this script. */
  pidsOf(program: string): number[] {
    return this.pids().filter((pid) => programNames(commandLineOf(pid)).includes(program));
  }

  /** Starts a program inside. Its output goes to a log that `report` shows. */
  async start(argv: readonly string[], options: StartOptions = {}): Promise<LabProcess> {
    const name = options.name ?? basename(argv[0]!);
    const log = options.log ?? `${this.state.directory}/log/${name}.log`;
    const started = await LabProcess.start(this.#init(), argv, { ...options, name, log });
    this.#processes.push(started);
    return started;
  }

  /** Runs a program inside to its end. Resolves to its standard output. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    try {
      return await run(["nsenter", ...enter(this.#init(), argv)], options);
    } catch (error) {
      throw error instanceof Error ? spawnError(error, argv) : error;
    }
  }

  /** `ip` commands in its network namespace, without the cost of entering it. */
  ip(...commands: string[]): Promise<void> {
    return ipBatch(commands, this.namespace);
  }

  /** Its interface of that name. Throws when the plan has none. */
  interface(name = "eth0"): InterfaceState {
    const found = this.state.interfaces.find((i) => i.name === name);
    if (found !== undefined) return found;
    const known = this.state.interfaces.map((i) => i.name).join(", ");
    throw new Error(`'${this.name}' has no interface '${name}' (it has: ${known})`);
  }

  /** Addresses that its kernel has now, `192.168.17.50/24`, link-local ones left out. */
  async addresses(interfaceName?: string): Promise<string[]> {
    const device = interfaceName === undefined ? [] : ["dev", interfaceName];
    const json = await run(["ip", "-n", this.namespace, "-j", "addr", "show", ...device]);
    const links = JSON.parse(json) as { ifname?: string; addr_info?: AddressInfo[] }[];
    return links
      .filter((link) => link.ifname !== "lo")
      .flatMap((link) => link.addr_info ?? [])
      .filter((info) => info.scope !== "link")
      .map((info) => `${info.local}/${info.prefixlen}`);
  }

  /** Whether its kernel has that address, with any prefix length. */
  async holds(address: string): Promise<boolean> {
    return (await this.addresses()).some((held) => held.startsWith(`${address}/`));
  }

  /** Outside path of a file that the host sees as `inside`, which is under `/run` or `/tmp`. */
  outside(inside: string): string {
    if (!/^\/(run|tmp)\//.test(inside)) throw new Error(`${inside}: only /run and /tmp are shared`);
    return `${this.state.directory}${inside}`;
  }

  /** Writes a file that the host sees as `inside` (under `/run` or `/tmp`). Returns `inside`. */
  write(inside: string, text: string, mode = 0o644): string {
    const path = this.outside(inside);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode });
    return inside;
  }

  read(inside: string): string {
    return readFileSync(this.outside(inside), "utf8");
  }

  /** The ends of all its logs. */
  report(): string {
    const directory = `${this.state.directory}/log`;
    if (!existsSync(directory)) return "";
    return readdirSync(directory)
      .map((file) => {
        const text = readFileSync(`${directory}/${file}`, "utf8").trimEnd();
        return `--- ${this.name}: ${file}\n${text.slice(-LOG_TAIL)}\n`;
      })
      .join("");
  }

  #init(): number {
    if (this.state.initPid === undefined) throw new Error(`'${this.name}' is powered off`);
    return this.state.initPid;
  }
}

interface AddressInfo {
  readonly local: string;
  readonly prefixlen: number;
  readonly scope: string;
}
