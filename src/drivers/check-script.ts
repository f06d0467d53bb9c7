/** Asks a script about a server: same rights and rules as every other script of Nines. */

import type { CheckProtocol, CheckTarget } from "../core/check/check-settings.ts";
import type { ProbeResult } from "../core/check/probe.ts";
import { judgeScript } from "../core/check/script-probe.ts";
import { KILL_GRACE_MS } from "../core/check/script-track.ts";
import { monotonicMs } from "./clock.ts";
import { openPipe } from "./descriptors.ts";
import { closeFd } from "./ffi.ts";
import { checkScript } from "./script-facts.ts";
import { runScript, type ScriptDefaults } from "./script-runner.ts";

export interface ScriptRules extends ScriptDefaults {
  /** Refuse scripts that somebody other than their user and root could change. */
  readonly enforce: boolean;
}

/**
 * Runs that were killed and have not ended, and since when: stuck in the kernel, as on a dead NFS server. By the
 * target, which lives as long as the configuration that it stands in.
 */
const killed = new WeakMap<CheckTarget, { readonly sinceMs: number }>();

type ScriptSettings = Extract<CheckProtocol, { kind: "script" }>;

/** The server is named in the environment: NINES_CHECK, NINES_SERVER, NINES_ADDRESS, NINES_PORT. */
export function runScriptCheck(
  target: CheckTarget,
  settings: ScriptSettings,
  rules: ScriptRules,
  onEnd: (result: ProbeResult) => void,
): (atOnce?: boolean) => void {
  // First of all: without descriptors its user would not be found either.
  const pipe = openPipe();
  if ("errno" in pipe) return notRun(pipe.message, onEnd, true);
  for (const fd of [pipe.readFd, pipe.writeFd]) closeFd(fd);
  const { argv, user, group } = settings;
  const named = {
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
  };
  const command = { argv, ...named };
  // Judged anew before every run: the file may have been changed since the start.
  const problem = checkScript(command, rules);
  if (problem !== undefined && (problem.kind !== "unsafe" || rules.enforce)) {
    return notRun(problem.reason, onEnd);
  }
  const stuck = killed.get(target);
  // One more at every check would use up the processes of the machine.
  if (stuck !== undefined && monotonicMs() - stuck.sinceMs > KILL_GRACE_MS) {
    return notRun("the script's last run cannot be ended", onEnd);
  }
  const run = { isOver: false, hasEnded: false };
  let mark: { readonly sinceMs: number } | undefined;
  const script = runScript({ ...command, environment: environmentOf(target) }, rules, (outcome) => {
    run.hasEnded = true;
    if (killed.get(target) === mark) killed.delete(target);
    if (!run.isOver) onEnd(judgeScript(settings, outcome.end, outcome.output));
    run.isOver = true;
  });
  return (atOnce = false) => {
    if (run.isOver) return;
    run.isOver = true;
    if (atOnce) return script.kill("SIGKILL");
    script.kill("SIGTERM");
    setTimeout(() => {
      script.kill("SIGKILL");
      if (run.hasEnded || killed.has(target)) return;
      mark = { sinceMs: monotonicMs() };
      killed.set(target, mark);
    }, KILL_GRACE_MS);
  };
}

function notRun(reason: string, onEnd: (result: ProbeResult) => void, isOurs = false): () => void {
  const told = setImmediate(() => onEnd({ ok: false, reason, ...(isOurs ? { isOurs } : {}) }));
  return () => clearImmediate(told);
}

function environmentOf({ subject, check, endpoint }: CheckTarget): Record<string, string> {
  const named = { NINES_CHECK: check.name, NINES_SERVER: subject };
  if (endpoint.kind === "unix") return { ...named, NINES_ADDRESS: endpoint.path, NINES_PORT: "" };
  const { address, port } = endpoint;
  return { ...named, NINES_ADDRESS: address, NINES_PORT: String(port) };
}
