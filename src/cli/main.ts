/** The command line: one subcommand per file; here they are named, described and wired. */

import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { type Format, FORMATS } from "../config/import/format.ts";
import { KINDS } from "../config/service/schema/kinds.ts";
import { isLoopback } from "../config/service/settings/console.ts";
import { ControlClient, ControlFailure } from "../daemon/control-client.ts";
import {
  DEFAULT_RUN_DIRECTORY,
  DEFAULT_STATE_DIRECTORY,
  runDirectory,
} from "../daemon/run-directory.ts";
import { addBalanceCommands } from "./balance-commands.ts";
import { addDrillCommands } from "./drill-commands.ts";
import { addEvidenceCommands } from "./evidence-commands.ts";
import { addEstimateCommands } from "./estimate-commands.ts";
import { addConsoleCommands } from "./console-commands.ts";
import { addJournalCommands } from "./journal-commands.ts";
import { addProbeCommands } from "./probe-commands.ts";
import {
  addKeepalivedOptions,
  type KeepalivedFlags,
  readingOf,
  withoutEffect,
} from "./keepalived-options.ts";
import { completionScript, NAMED, type Named, SHELLS, type Shell } from "./completion.ts";
import { version } from "../daemon/version.ts";
import { processTerminal, type Terminal, UsageFailure } from "./terminal.ts";
import { pointToHelp } from "./help-pointers.ts";

const DEFAULT_FILE = "/etc/keepalived/keepalived.conf";

const EPILOGUE = `
Exit codes: 0 ok, 1 operating trouble, 2 usage or configuration.
Examples:
  nines check /etc/keepalived/keepalived.conf
  nines run -f /etc/keepalived/keepalived.conf
  nines status -w
  nines why VI_1`;

/** Runs one command line (without `node` and the script) to its end. Never throws. */
export async function main(argv: readonly string[], given?: Terminal): Promise<number> {
  const terminal = given ?? processTerminal(!argv.includes("--no-color"));
  const outcome = { code: 0 };
  const program = buildProgram(terminal, (code) => (outcome.code = code));
  try {
    // Understood anywhere on the line; it was looked at above.
    const words = argv.filter((word) => word !== "--no-color");
    await program.parseAsync(words, { from: "user" });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof UsageFailure) {
      terminal.err(`nines: ${error.message}`);
      return 2;
    }
    // By name: most commands never load the lab.
    if (error instanceof ControlFailure || (error as Error).name === "NoWorlds") {
      terminal.err(`nines: ${(error as Error).message}`);
      return 1;
    }
    throw error;
  }
}

type End = (code: number) => void;

export function buildProgram(terminal: Terminal, end: End): Command {
  const program = new Command("nines")
    .description("Keeps a service up: a second copy, and a safe automatic switch to it.")
    .version(version(), "-V, --version", "print the version")
    .option("--no-color", "no colours, whatever the terminal can (also: NO_COLOR=1)")
    .addHelpText("after", EPILOGUE)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureHelp({ helpWidth: 100, showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      getOutHelpWidth: () => 100,
      getErrHelpWidth: () => 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride();
  addRun(program, terminal, end);
  addConfigurationCommands(program, terminal, end);
  addClientCommands(program, terminal, end);
  addJournalCommands(program, { terminal, end, withDirectories });
  addBalanceCommands(program, { terminal, end, withDirectories });
  addDrillCommands(program, { terminal, end, withDirectories });
  addEstimateCommands(program, { terminal, end, withDirectories });
  addEvidenceCommands(program, { terminal, end, withDirectories });
  addConsoleCommands(program, { terminal, end, withDirectories });
  addProbeCommands(program, { terminal, end, withDirectories });
  addPlaygroundCommands(program, terminal, end);
  program
    .command("completion")
    .description("print the completion script of a shell")
    .argument("<shell>", SHELLS.join(" | "), parseShell)
    .action((shell: Shell) => terminal.out(completionScript(program, shell).trimEnd()));
  const names = program
    .command("__names", { hidden: true })
    .addArgument(new Argument("<what>").choices(NAMED))
    .action(async (what: Named, given: ClientFlags) => {
      const { names: print } = await import("./names.ts");
      end(await print(new ControlClient(runDirectory(given.runDir).controlSocket), what, terminal));
    });
  withDirectories(names, false);
  pointToHelp(program);
  return program;
}

function addRun(program: Command, terminal: Terminal, end: End): void {
  const command = program
    .command("run")
    .description("run a node in the foreground; reads nines.yaml and keepalived.conf")
    .option("-f, --use-file <file>", "configuration", DEFAULT_FILE)
    .option("-t, --config-test", "check the configuration only, as `nines check`")
    .option("-i, --config-id <id>", "take the lines marked @id; default: the host name")
    .option("--node <name>", "which of the nodes of nines.yaml this is; default: the host name")
    .option("--permissive", "unknown keywords are warnings, as with keepalived")
    .option("--no-realtime", "normal scheduling for the vrrp process")
    .option("--console <address>", "where the page is, or off: whatever the file says", parsePlace)
    .addOption(new Option("--no-console", "as --console off").hideHelp())
    .option("--log <file>", "append the log (JSON lines) to this file");
  withDirectories(command, true);
  addKeepalivedOptions(command);
  command.action(async (given: RunFlags) => {
    if (given.version === true) return terminal.out(version());
    if (given.signum !== undefined) return terminal.out(String(given.signum));
    for (const line of withoutEffect(given)) terminal.err(`nines: ${line}`);
    const { useFile: file, permissive = false, realtime, console = true } = given;
    const reading = { file, permissive, ...identityOf(given), ...readingOf(given) };
    if (given.configTest === true) {
      const { check } = await import("./check.ts");
      return end(check({ ...reading, json: false }, terminal));
    }
    const { run } = await import("./run.ts");
    const { runDir, stateDir, log = given.logFile, pid: pidFile } = given;
    const options = { version: version(), ...reading, realtime, console, runDir, stateDir };
    const files = {
      ...(log === undefined ? {} : { log }),
      ...(pidFile === undefined ? {} : { pidFile }),
    };
    end(await run({ ...options, ...files }, terminal));
  });
}

function addConfigurationCommands(program: Command, terminal: Terminal, end: End): void {
  program
    .command("check")
    .description("tell everything that is wrong with a configuration, and what will hurt")
    .argument("[file]", "configuration", DEFAULT_FILE)
    .argument("[peer]", "the other node's configuration: do the two fit together?")
    .option("--json", "for machines")
    .option("--permissive", "unknown keywords are warnings, as with keepalived")
    .option("-i, --config-id <id>", "take the lines marked @id; default: the host name")
    .option("--node <name>", "which of the nodes of nines.yaml this is; default: the host name")
    .option("--peer-id <id>", "@id and node name for the other file; default: the host name")
    .action(async (file: string, peerFile: string | undefined, given: CheckFlags) => {
      const { check } = await import("./check.ts");
      const { json = false, permissive = false, peerId } = given;
      const peer =
        peerFile === undefined
          ? {}
          : { peer: { file: peerFile, ...identityOf({ configId: peerId, node: peerId }) } };
      end(check({ file, json, permissive, ...identityOf(given), ...peer }, terminal));
    });
  program
    .command("import")
    .description("write a nines.yaml from a configuration of keepalived, HAProxy or nginx")
    .argument("<file>", "keepalived.conf, haproxy.cfg or nginx.conf")
    .addOption(
      new Option("--from <format>", "whose it is; default: told by its words").choices(FORMATS),
    )
    .option("-o, --output <file>", "write it there; it must not exist. Default: standard output")
    .option("-i, --config-id <id>", "take the lines marked @id; default: the host name")
    .option("--permissive", "unknown keywords of keepalived are left out and listed")
    .action(async (file: string, given: ImportFlags) => {
      const { importConfiguration } = await import("./import.ts");
      const { from: format, output, configId, permissive = false } = given;
      const options = {
        ...(format === undefined ? {} : { format }),
        ...(output === undefined ? {} : { output }),
        ...(configId === undefined ? {} : { configId }),
      };
      end(importConfiguration({ file, permissive, ...options }, terminal));
    });
  program
    .command("explain")
    .description("meaning, unit, default and range of a configuration keyword")
    .argument("<keyword>", "as in nines.yaml or keepalived.conf, e.g. pools.timeouts, advert_int")
    .option("--json", "for machines")
    .action(async (keyword: string, { json = false }: { json?: boolean }) => {
      const { explainKeyword } = await import("./explain.ts");
      end(explainKeyword({ keyword, json }, terminal));
    });
}

function addClientCommands(program: Command, terminal: Terminal, end: End): void {
  const client = (given: ClientFlags): ControlClient =>
    new ControlClient(runDirectory(given.runDir).controlSocket);
  withDirectories(program.command("status"), false)
    .description("who holds what, since when, and why")
    .option("-w, --watch", "again every second")
    .option("--json", "for machines")
    .action(async (given: ClientFlags) => {
      const { status } = await import("./status.ts");
      const { watch = false, json = false } = given;
      end(await status(client(given), { watch, json }, terminal));
    });
  withDirectories(program.command("why"), false)
    .description("the last decisions of an instance or group with what was known then")
    .argument("<instance>")
    .option("--json", "for machines")
    .action(async (instance: string, given: ClientFlags) => {
      const { why } = await import("./why.ts");
      end(await why(client(given), { instance, json: given.json ?? false }, terminal));
    });
  withDirectories(program.command("handover"), false)
    .description("hand the addresses of an instance or group over, until the other node fails")
    .argument("<instance>")
    .option("--json", "for machines")
    .action(async (instance: string, given: ClientFlags) => {
      const { handover } = await import("./handover.ts");
      end(await handover(client(given), { instance, json: given.json ?? false }, terminal));
    });
  withDirectories(program.command("reload"), false)
    .description("read the configuration again; what did not change goes on undisturbed")
    .option("--json", "for machines")
    .action(async (given: ClientFlags) => {
      const { reload } = await import("./reload.ts");
      end(await reload(client(given), { json: given.json ?? false }, terminal));
    });
  withDirectories(program.command("metrics"), false)
    .description("numbers for Prometheus")
    .option("--dashboard", "a dashboard for Grafana instead")
    .option("--rules", "alert rules for Prometheus instead")
    .action(async (given: ClientFlags) => {
      const { metrics, metricsFile } = await import("./metrics.ts");
      if (given.dashboard === true) return end(await metricsFile("dashboard", terminal));
      if (given.rules === true) return end(await metricsFile("rules", terminal));
      end(await metrics(client(given), terminal));
    });
}

function addPlaygroundCommands(program: Command, terminal: Terminal, end: End): void {
  program
    .command("demo")
    .description("watch failovers on this machine: no configuration, nothing is changed")
    .option("--once", "no keys to press at the end")
    .option("--only <numbers>", "only these experiments, e.g. 1,3", parseNumbers, [])
    .action(async ({ once = false, only }: { once?: boolean; only: readonly number[] }) => {
      const { demo } = await import("./demo.ts");
      end(await demo({ once, only, color: terminal.color }));
    });
  program
    .command("lab")
    .description("worlds of network namespaces to try things in; see: nines lab --help")
    .argument("[arguments...]")
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .action(async (words: string[]) => {
      const { lab } = await import("./lab.ts");
      end(await lab(words, terminal));
    });
}

function withDirectories(command: Command, state: boolean): Command {
  command.option("--run-dir <dir>", "sockets of the node", DEFAULT_RUN_DIRECTORY);
  if (state) command.option("--state-dir <dir>", "lasting state", DEFAULT_STATE_DIRECTORY);
  return command;
}

interface Identity {
  readonly configId?: string | undefined;
  readonly node?: string | undefined;
}

/** Who we are, as far as the command line says it. */
function identityOf({ configId, node }: Identity): { configId?: string; node?: string } {
  return {
    ...(configId === undefined ? {} : { configId }),
    ...(node === undefined ? {} : { node }),
  };
}

/** Without TLS tokens would travel in the clear: from the file or on this machine only. */
function parsePlace(text: string): string | false {
  if (text === "off") return false;
  const bind = KINDS.bind.convert(text);
  if (!bind.ok) throw new InvalidArgumentError(`${bind.reason}; ${bind.next}`);
  if (bind.value.kind === "ip" && isLoopback(bind.value.address)) return text;
  throw new InvalidArgumentError("write 127.0.0.1:PORT; for others: console: { listen, tls }");
}

function parseSeq(text: string): number {
  const seq = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(seq)) throw new InvalidArgumentError("not a whole number");
  return seq;
}

function parseNumbers(text: string): readonly number[] {
  return text.split(",").map(parseSeq);
}

function parseShell(text: string): Shell {
  const shell = SHELLS.find((one) => one === text);
  if (shell === undefined) throw new InvalidArgumentError(`one of ${SHELLS.join(", ")}`);
  return shell;
}

interface RunFlags extends Identity, KeepalivedFlags {
  readonly version?: boolean;
  readonly useFile: string;
  readonly configTest?: boolean;
  readonly permissive?: boolean;
  readonly realtime: boolean;
  readonly console?: boolean | string;
  readonly runDir: string;
  readonly stateDir: string;
  readonly log?: string;
}

interface CheckFlags extends Identity {
  readonly json?: boolean;
  readonly permissive?: boolean;
  readonly peerId?: string;
}

interface ImportFlags {
  readonly from?: Format;
  readonly output?: string;
  readonly configId?: string;
  readonly permissive?: boolean;
}

interface ClientFlags {
  readonly runDir: string;
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly dashboard?: boolean;
  readonly rules?: boolean;
}
