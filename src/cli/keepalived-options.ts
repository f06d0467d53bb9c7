/** The command line of keepalived(8): what `nines run` does with it, and what it says instead. */

import { type Command, InvalidArgumentError, Option } from "commander";
import type { ReadOptions } from "../config/read-configuration.ts";

/** What keepalived starts with on many systems: understood, and without effect here. */
const WITHOUT_EFFECT: readonly (readonly [flags: string, note: string])[] = [
  ["-n, --dont-fork", "nines never forks into the background"],
  ["-l, --log-console", "the log goes to standard error anyway"],
  ["-D, --log-detail", "the log is always detailed"],
  ["-d, --dump-conf", "see: nines check FILE --json"],
  ["-S, --log-facility <facility>", "nothing goes to syslog; the service manager files the log"],
  ["-G, --no-syslog", "nothing goes to syslog anyway"],
  ["--flush-log-file", "each line is written at once"],
  ["-X, --release-vips", "addresses are always released"],
  ["-V, --dont-release-vrrp", "addresses are always released at the end: nobody would renew them"],
  ["-I, --dont-release-ipvs", "nines balances without IPVS"],
  ["-R, --dont-respawn", "a process that dies is always started again"],
  ["-B, --no_bfd", "BFD runs where a bfd_instance is tracked, and only there"],
  ["--all", "processes are started as they are needed"],
  ["-r, --vrrp_pid <file>", "see: nines status"],
  ["-c, --checkers_pid <file>", "see: nines status"],
  ["-b, --bfd_pid <file>", "BFD has no process of its own"],
  ["-a, --address-monitoring", "see: nines events -f"],
  ["-e, --all-config", "a missing file is always a mistake"],
  ["-x, --snmp", "there is no SNMP; see: nines metrics"],
  ["-A, --snmp-agent-socket <file>", "there is no SNMP; see: nines metrics"],
  ["-u, --umask <number>", "files are made for their owner only"],
  ["-m, --core-dump", "set it in the service manager: LimitCORE"],
  ["-M, --core-dump-pattern [pattern]", "set it in the service manager: LimitCORE"],
  ["--no-mem-check", "it is for keepalived's own development"],
  ["--perf [when]", "it is for keepalived's own development"],
  ["--debug [options]", "it is for keepalived's own development"],
];

/** keepalived's names of what a signal does; JSON and TDATA have none here. */
const SIGNALS: Readonly<Record<string, number>> = { STOP: 15, RELOAD: 1, DATA: 10, STATS: 12 };

const EPILOGUE = `
Options of keepalived are understood. Carried out: -f -i -t as above, -P (no virtual servers), -C (no
VRRP), -s NAMESPACE, -g FILE (as --log), -p FILE (process id), --signum=STOP|RELOAD|DATA|STATS, -v.
The others are told to have no effect, and why.
Signals: HUP reads the configuration again, TERM and INT end; USR1 and USR2 name the commands that
tell what keepalived would write to files.`;

export interface KeepalivedFlags extends Record<string, unknown> {
  readonly vrrp?: boolean;
  readonly check?: boolean;
  readonly namespace?: string;
  readonly logFile?: string;
  readonly pid?: string;
  readonly signum?: number;
}

export function addKeepalivedOptions(command: Command): void {
  for (const [flags] of WITHOUT_EFFECT) command.addOption(new Option(flags).hideHelp());
  const hidden = (flags: string): Option => new Option(flags).hideHelp();
  command
    .addOption(hidden("-P, --vrrp"))
    .addOption(hidden("-C, --check"))
    .addOption(hidden("-s, --namespace <name>"))
    .addOption(hidden("-g, --log-file <file>"))
    .addOption(hidden("-p, --pid <file>"))
    .addOption(hidden("-v, --version"))
    .addOption(hidden("--signum <name>").argParser(parseSignal))
    .addHelpText("after", EPILOGUE);
}

function parseSignal(name: string): number {
  const signal = SIGNALS[name.toUpperCase()];
  if (signal !== undefined) return signal;
  const next = "see: nines status --json, nines metrics";
  throw new InvalidArgumentError(`one of ${Object.keys(SIGNALS).join(", ")}; ${next}`);
}

/** A line for each that was given and does nothing. */
export function withoutEffect(given: Readonly<Record<string, unknown>>): string[] {
  return WITHOUT_EFFECT.flatMap(([flags, note]) => {
    const option = new Option(flags);
    const value = given[option.attributeName()];
    // `--no-…` is a true that was made false.
    if (value === undefined || (option.negate && value === true)) return [];
    return [`${flags.replace(/ [<[].*$/u, "")} has no effect: ${note}`];
  });
}

/** `-P`, `-C` and `-s` change what is read; both parts together are the whole. */
export function readingOf({
  vrrp = false,
  check = false,
  namespace,
}: KeepalivedFlags): Pick<ReadOptions, "part" | "networkNamespace"> {
  return {
    ...(vrrp === check ? {} : { part: vrrp ? ("vrrp" as const) : ("check" as const) }),
    ...(namespace === undefined ? {} : { networkNamespace: namespace }),
  };
}
