/**
 * What `nines lab` does: worlds that live on between commands. Each command is a process of its
 * own and finds the world by its state file. The CLI only parses and prints. Functions throw
 * LabTrouble (or PlanError, MissingTool, CommandFailed), whose messages are for the user.
 */
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
  statSync,
} from "node:fs";
import { constants } from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { SEARCH_PATH } from "./command.ts";
import { faultWord } from "./fault-words.ts";
import { healEverything } from "./heal.ts";
import type { WorldPlan, WorldState } from "./plan.ts";
import { canBuildWorlds } from "./privileges.ts";
import { enter } from "./process.ts";
import { READY_PLANS } from "./ready-plans.ts";
import { World } from "./world.ts";

/** Mode 0700; every file in it 0600: who can write there can name processes to be killed. */
const STATE_DIRECTORY = "/run/nines-lab";
const WORLD_NAME = /^[a-z][a-z0-9-]{0,31}$/;

export class LabTrouble extends Error {
  override readonly name = "LabTrouble";
}

export interface LabListing {
  readonly name: string;
  readonly hosts: readonly LabHostListing[];
}

export interface LabHostListing {
  readonly name: string;
  readonly isOn: boolean;
  readonly namespace: string;
  /** `eth0 192.168.17.50/24`. */
  readonly interfaces: readonly string[];
}

/**
 * Builds the world of a ready plan (`two-directors`), or of a file: JSON of a WorldPlan, or a
 * module that exports one as `world`. `name` is its handle; the plan's own, or the ready plan's,
 * by default.
 */
export async function labUp(what: string, name?: string): Promise<LabListing> {
  const permission = canBuildWorlds();
  if (!permission.ok) throw new LabTrouble(`${permission.reason}. ${permission.hint}`);
  if (permission.by !== "root") {
    throw new LabTrouble(
      "a world that lives on needs root: sudo nines lab up … (the demo does not)",
    );
  }
  const plan = await readPlan(what);
  const handle = name ?? plan.name ?? (READY_PLANS[what] === undefined ? "world" : what);
  if (!WORLD_NAME.test(handle)) {
    throw new LabTrouble(`'${handle}' cannot name a world: small letters, digits, dashes`);
  }
  if (existsSync(stateFile(handle))) {
    throw new LabTrouble(`world '${handle}' is up already. End it: nines lab down ${handle}`);
  }
  mkdirSync(STATE_DIRECTORY, { recursive: true, mode: 0o700 });
  chmodSync(STATE_DIRECTORY, 0o700);
  const world = await World.createPersistent({ ...plan, name: handle }, `nineslab-${handle}`);
  try {
    remember(world.state);
  } catch (error) {
    world.destroy();
    throw error;
  }
  return listing(world);
}

/** Ours, where the host sees the same one: then relative names of files mean the same inside. */
function sharedDirectory(initPid: number): string | undefined {
  const directory = process.cwd();
  const ours = statSync(directory);
  const theirs = statSync(`/proc/${initPid}/root${directory}`, { throwIfNoEntry: false });
  return theirs?.ino === ours.ino && theirs.dev === ours.dev ? directory : undefined;
}

/** Runs a program in a host, on this terminal. Resolves to its exit status (128 + n: signal n). */
export async function labExec(
  host: string,
  argv: readonly string[],
  name?: string,
): Promise<number> {
  const { initPid } = open(name).host(host).state;
  if (initPid === undefined) {
    throw new LabTrouble(`'${host}' is powered off. Heal the world: nines lab heal`);
  }
  const env = { ...process.env, PATH: SEARCH_PATH };
  const child = spawn("nsenter", enter(initPid, argv, sharedDirectory(initPid)), {
    stdio: "inherit",
    env,
  });
  // Ctrl-C is for the program in the host; we go on to tell its status.
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  try {
    return await new Promise<number>((done, reject) => {
      child.once("error", reject);
      child.once("exit", (code, by) =>
        done(code ?? (by === null ? 1 : 128 + constants.signals[by])),
      );
    });
  } finally {
    process.off("SIGINT", ignore);
  }
}

/** Breaks something; see FAULT_WORDS. It stays broken until `labHeal`. */
export async function labFault(
  word: string,
  target: { readonly host: string; readonly argument?: string },
  name?: string,
): Promise<void> {
  const fault = faultWord(word);
  const needed = fault.argument !== undefined && !fault.argument.startsWith("[");
  if (needed && target.argument === undefined) {
    throw new LabTrouble(`usage: nines lab fault ${word} HOST ${fault.argument}`);
  }
  const world = open(name);
  await fault.apply(world, world.host(target.host), target.argument);
  remember(world.state);
}

/** Takes back all faults; a host without power starts anew. */
export async function labHeal(name?: string): Promise<LabListing> {
  const world = open(name);
  await healEverything(world);
  remember(world.state);
  return listing(world);
}

/** Ends the world: its processes, namespaces, files. */
export function labDown(name?: string): string {
  const world = open(name);
  world.destroy();
  rmSync(stateFile(world.name), { force: true });
  return world.name;
}

export function labList(): LabListing[] {
  return names().map((name) => listing(open(name)));
}

async function readPlan(what: string): Promise<WorldPlan> {
  const ready = READY_PLANS[what];
  if (ready !== undefined) return ready;
  const path = resolve(what);
  if (!existsSync(path)) {
    const known = Object.keys(READY_PLANS).join(", ");
    throw new LabTrouble(`no file '${what}', and no ready world of that name (${known})`);
  }
  const content = await contentOf(path).catch((error: Error) => {
    throw new LabTrouble(`${what} cannot be read: ${error.message}`);
  });
  if (!isPlan(content)) {
    throw new LabTrouble(
      `${what}: no world here. Export one: export const world = { segments: …, hosts: … }`,
    );
  }
  return content;
}

async function contentOf(path: string): Promise<unknown> {
  if (path.endsWith(".json")) return JSON.parse(readFileSync(path, "utf8"));
  return ((await import(pathToFileURL(path).href)) as { world?: unknown }).world;
}

function isPlan(value: unknown): value is WorldPlan {
  if (typeof value !== "object" || value === null) return false;
  const { segments, hosts } = value as Partial<WorldPlan>;
  return Array.isArray(segments) && typeof hosts === "object" && hosts !== null;
}

/** The one of that name; without a name, the only one. */
function open(name?: string): World {
  const known = names();
  const wanted = name ?? (known.length === 1 ? known[0] : undefined);
  if (wanted === undefined) {
    const next =
      known.length === 0 ? "no world is up: nines lab up two-directors" : known.join(", ");
    throw new LabTrouble(
      known.length === 0 ? next : `which of the worlds? Say --world NAME: ${next}`,
    );
  }
  if (!known.includes(wanted)) {
    throw new LabTrouble(`no world '${wanted}' is up (there are: ${known.join(", ") || "none"})`);
  }
  const state = JSON.parse(readFileSync(stateFile(wanted), "utf8")) as WorldState;
  return World.attach(state);
}

function remember(state: WorldState): void {
  writeFileSync(stateFile(state.name), JSON.stringify(state), { mode: 0o600 });
}

function stateFile(name: string): string {
  return `${STATE_DIRECTORY}/${name}.json`;
}

function names(): string[] {
  if (!existsSync(STATE_DIRECTORY)) return [];
  return readdirSync(STATE_DIRECTORY)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .sort();
}

function listing(world: World): LabListing {
  const hosts = world.hosts.map((host) => ({
    name: host.name,
    isOn: host.isOn,
    namespace: host.namespace,
    interfaces: host.state.interfaces.map((i) => [i.name, ...i.addresses].join(" ")),
  }));
  return { name: world.name, hosts };
}
