/** `nines run`: the whole node in the foreground. */

import { rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { DISK } from "../config/disk.ts";
import { KINDS } from "../config/service/schema/kinds.ts";
import { takeBackOverdue } from "../daemon/configuration-trial.ts";
import type { ControlOptions } from "../daemon/control-role.ts";
import { ControlRole } from "../daemon/control-role.ts";
import { collectInheritedChildren } from "../drivers/inherited-children.ts";
import { isServed } from "../daemon/line-connection.ts";
import {
  loadConfiguration,
  type LoadedConfiguration,
  type LoadOptions,
} from "../daemon/load-configuration.ts";
import { openLog, type LogOutput } from "../daemon/log-output.ts";
import { undoLeftovers } from "../daemon/drill-leftovers.ts";
import { prepareDirectory, runDirectory } from "../daemon/run-directory.ts";
import { canUseNetwork } from "../daemon/privileges.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

const HELP = "see nines balance --help";
const READ_OUT_MS = 1_000;

export interface RunOptions extends Pick<LoadOptions, "part" | "networkNamespace"> {
  readonly version: string;
  readonly file: string;
  readonly permissive: boolean;
  readonly configId?: string;
  readonly node?: string;
  readonly realtime: boolean;
  /** False: none, whatever the configuration says; a text: there instead of where it says. */
  readonly console: boolean | string;
  readonly runDir: string;
  readonly stateDir: string;
  readonly log?: string;
  /** Holds the process id as long as the node runs. */
  readonly pidFile?: string;
  /** What stands in `file`; absent: read it from disk. */
  readonly text?: string;
  /** Said when nothing stands in the way of a start. */
  readonly greeting?: readonly string[];
}

export async function run(options: RunOptions, terminal: Terminal): Promise<ExitCode> {
  // After an upgrade; before anything here is started.
  collectInheritedChildren();
  const { file, text } = options;
  const files = text === undefined ? { inPlaceOf: file } : { files: withFile(file, text) };
  const pageAt = typeof options.console === "string" ? options.console : undefined;
  const load = (path: string): LoadedConfiguration =>
    withPageAt(loadConfiguration(path, { ...options, ...files }), pageAt);
  const read = (): Iterable<string> => load(file).texts.keys();
  const wasTakenBack = text === undefined && takeBackOverdue(file, options.stateDir, read);
  const { model, service, texts, lines } = load(file);
  if (model === undefined) {
    for (const line of lines) terminal.err(line);
    const next = text === undefined ? `mend ${file}, then try: nines check ${file}` : HELP;
    terminal.err(`nothing was started: ${next}`);
    return 2;
  }
  const directory = runDirectory(options.runDir === "" ? "" : resolve(options.runDir));
  const trouble =
    prepareDirectory(directory.path) ??
    prepareDirectory(options.stateDir, "--state-dir") ??
    (needsNetwork(service) ? canUseNetwork() : undefined);
  if (trouble !== undefined) {
    terminal.err(`nines: ${trouble}`);
    return 1;
  }
  if (await isServed(directory.controlSocket)) {
    const hint = `use \`nines status --run-dir ${directory.path}\` to see it, or another --run-dir`;
    terminal.err(`nines: another nines runs on ${directory.path}: ${hint}`);
    return 1;
  }
  // What a drill broke and a reboot kept from being mended; before anything relies on it.
  for (const line of await undoLeftovers(options.stateDir, directory.path)) terminal.err(line);
  let log: LogOutput;
  try {
    log = openLog(options.log);
  } catch (error) {
    terminal.err(`nines: cannot write the log: ${(error as Error).message}`);
    return 1;
  }
  const { version, realtime, stateDir: stateDirectory } = options;
  const console = options.console !== false;
  const control: ControlOptions = {
    version,
    file,
    isOnDisk: text === undefined,
    directory,
    stateDirectory,
    realtime,
    console,
    log,
    load,
    loaded: { texts, ...(service === undefined ? {} : { service }) },
  };
  const role = new ControlRole(control, model, lines);
  if (wasTakenBack) role.tookBack();
  return await runToItsEnd(role, options, terminal);
}

async function runToItsEnd(
  role: ControlRole,
  { pidFile, log, greeting = [] }: RunOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const unwritten = writePid(pidFile);
  if (unwritten !== undefined) {
    terminal.err(`nines: ${unwritten}`);
    return 1;
  }
  for (const line of greeting) terminal.err(line);
  const code = await role.run();
  // Whoever has just started it looks here, not there.
  if (code !== 0 && log !== undefined) terminal.err(`nines: nothing runs: ${log} tells why`);
  if (pidFile !== undefined) rmSync(pidFile, { force: true });
  const ended = code === 0 ? 0 : 1;
  // Nothing is left to do but to hand the last lines to a reader that may have stopped reading.
  setTimeout(() => process.exit(ended), READ_OUT_MS).unref();
  return ended;
}

/** Why it could not be written; undefined: done, or not wanted. */
function writePid(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    writeFileSync(path, `${process.pid}\n`);
    return undefined;
  } catch (error) {
    return `cannot write the process id: ${(error as Error).message}`;
  }
}

/** A file that is nowhere on disk beside those that are. */
function withFile(file: string, text: string): typeof DISK {
  return { ...DISK, readFile: (path) => (path === file ? text : DISK.readFile(path)) };
}

/** `nines run --console ADDRESS`: there, whatever the file says. */
function withPageAt(loaded: LoadedConfiguration, place: string | undefined): LoadedConfiguration {
  const { service } = loaded;
  const listen = place === undefined ? undefined : KINDS.bind.convert(place);
  if (service === undefined || listen?.ok !== true) return loaded;
  const console = { ...service.console, enabled: true, listen: [listen.value] };
  return { ...loaded, service: { ...service, console } };
}

/** Only who holds addresses needs it; a balancer alone runs as any user. */
function needsNetwork(service: LoadedConfiguration["service"]): boolean {
  if (service === undefined) return true;
  return service.vrrp.vrrp.instances.length > 0 || service.balance.frontends.length === 0;
}
