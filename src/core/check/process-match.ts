/** Whether a running process is the one that a `vrrp_track_process` block means. */

import { unreachable } from "../../lib/assert.ts";
import type { ProcessSettings } from "../vrrp/settings.ts";

/** What /proc says about a process. */
export interface ProcessFacts {
  /** /proc/PID/comm: at most 15 bytes. */
  readonly name: string;
  /** /proc/PID/cmdline split at its zero bytes; empty for kernel threads. */
  readonly argv: readonly string[];
}

/** The kernel keeps this many bytes of a process name (TASK_COMM_LEN - 1). */
const NAME_LENGTH = 15;

/** True when telling needs /proc/PID/cmdline; reading only comm is cheaper. */
export function needsCommandLine(settings: ProcessSettings): boolean {
  return (
    settings.fullCommand ||
    settings.process.includes("/") ||
    settings.parameters.length > 0 ||
    settings.parameterMatch !== "none"
  );
}

/**
 * keepalived.conf(5), "VRRP track processes". The name is compared with comm, a path or
 * `full_command` with the first word of the command line; parameters as `param_match` says.
 */
export function matchesProcess(settings: ProcessSettings, facts: ProcessFacts): boolean {
  const byCommand = settings.fullCommand || settings.process.includes("/");
  if (byCommand ? facts.argv[0] !== settings.process : !sameName(settings.process, facts.name)) {
    return false;
  }
  return matchesParameters(settings, facts.argv.slice(1));
}

function sameName(wanted: string, name: string): boolean {
  return name === wanted || (wanted.length > NAME_LENGTH && name === wanted.slice(0, NAME_LENGTH));
}

function matchesParameters(settings: ProcessSettings, actual: readonly string[]): boolean {
  const wanted = settings.parameters;
  const startsWith = (count: number): boolean =>
    actual.length >= count && wanted.slice(0, count).every((word, i) => word === actual[i]);
  switch (settings.parameterMatch) {
    case "none":
      return wanted.length === 0 || (actual.length === wanted.length && startsWith(wanted.length));
    case "exact":
      return actual.length === wanted.length && startsWith(wanted.length);
    case "partial":
      return startsWith(wanted.length);
    case "initial": {
      const last = wanted.length - 1;
      if (last < 0) return actual.length === 0;
      return startsWith(last) && (actual[last]?.startsWith(wanted[last]!) ?? false);
    }
    case "regex":
      return wanted.every((pattern) => searches(pattern, actual.join(" ")));
    default:
      return unreachable(settings.parameterMatch);
  }
}

/** A pattern that does not compile matches nothing; the configuration reader reports it. */
function searches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return false;
  }
}
