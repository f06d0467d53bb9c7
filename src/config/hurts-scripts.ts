/** Scripts that are unsafe, missing, too slow, or written for keepalived rather than for Nines. */

import { DEFAULT_SCRIPT_USER, SCRIPT_PATH } from "../core/check/script-security.ts";
import type { Findings } from "./diagnostic.ts";
import type { HostFacts } from "./host-facts.ts";
import type { ScriptSecurity } from "./model.ts";
import type { ScriptUse } from "./script-uses.ts";

/** What everything about one script is judged by. */
interface Judging {
  /** `script_user`, `enable_script_security`. */
  readonly rules: ScriptSecurity;
  readonly facts: HostFacts;
  readonly findings: Findings;
}

export function warnAboutScripts(uses: readonly ScriptUse[], judging: Judging): void {
  for (const use of uses) {
    warnAboutShell(use, judging.findings);
    warnAboutUser(use, judging);
    warnAboutFile(use, judging);
  }
}

function warnAboutShell(use: ScriptUse, findings: Findings): void {
  const odd = use.command.argv.find((word) => /^(?:[<>|;&]|\d?>)|[|;]$|^&&$|\$\(|`/u.test(word));
  if (odd === undefined || /(^|\/)(ba|da|z|k)?sh$/u.test(use.command.argv[0]!)) return;
  const next = "there is no shell: put the line into a script, or write /bin/sh -c '…'";
  findings.warn(use.at, `'${odd}' means something to a shell only`, next);
}

function warnAboutUser(use: ScriptUse, { rules, facts, findings }: Judging): void {
  const user = use.command.user ?? rules.user;
  const group = use.command.group ?? rules.group;
  const isKnown = (name: string | undefined, names: readonly string[] | undefined): boolean =>
    name === undefined || names === undefined || /^\d+$/u.test(name) || names.includes(name);
  if (!isKnown(user, facts.users)) {
    const next =
      use.command.user === undefined
        ? "create it, or correct script_user"
        : "create it, or quote the command if this was meant as an argument";
    findings.warn(use.at, `there is no user '${user}' on this machine`, next);
  }
  if (!isKnown(group, facts.groups)) {
    findings.warn(use.at, `there is no group '${group}' on this machine`, "create it");
  }
}

function warnAboutFile(use: ScriptUse, judging: Judging): void {
  const { facts, findings } = judging;
  const [command = ""] = use.command.argv;
  if (facts.file === undefined || command === "") return;
  const path = located(command, facts.file);
  const fact = facts.file(path);
  if (fact === undefined) {
    const isPath = path.includes("/");
    findings.warn(
      use.at,
      isPath ? `${path} does not exist on this machine` : `${path} is not in ${SCRIPT_PATH}`,
      isPath ? "install it, or correct the path" : "install it, or write its whole path",
    );
    return;
  }
  if (fact.directory) {
    findings.error(use.at, `${path} is a directory`, "name the script in it");
    return;
  }
  if ((fact.mode & 0o111) === 0) {
    findings.warn(use.at, `${path} is not executable`, `run: chmod 755 ${path}`);
  }
  checkSafety(use, path, judging);
  if (fact.text !== undefined) warnAboutText(use, path, fact.text, findings);
}

/** As it will be found at run time: nothing is relative to where Nines was started. */
function located(command: string, find: NonNullable<HostFacts["file"]>): string {
  if (command.startsWith("/")) return command;
  if (command.includes("/")) return `/${command}`;
  const places = SCRIPT_PATH.split(":").map((directory) => `${directory}/${command}`);
  return places.find((path) => find(path) !== undefined) ?? command;
}

/**
 * keepalived skips an unsafe script without a word in the state (its threads #2184, #842); a
 * check that does not run is worse than a daemon that does not start, so this is an error.
 */
function checkSafety(use: ScriptUse, path: string, judging: Judging): void {
  const { rules, facts, findings } = judging;
  const parts = path.split("/").slice(1);
  for (let depth = parts.length; depth >= 0; depth--) {
    const part = `/${parts.slice(0, depth).join("/")}`;
    const fact = facts.file?.(part);
    if (fact === undefined) continue;
    const sticky = fact.directory && (fact.mode & 0o1000) !== 0;
    if ((fact.mode & 0o002) !== 0 && !sticky) {
      const next = `run: chmod o-w ${part}`;
      findings.error(use.at, `everybody can change ${part}: the script is unsafe`, next);
      return;
    }
    const others = fact.uid !== 0 || ((fact.mode & 0o020) !== 0 && fact.gid !== 0);
    if (others && runsAsRoot(use, judging)) {
      const reason = `somebody other than root can change ${part}, and root would run it`;
      const next = `run: chown root:root ${part}; chmod go-w ${part}, or set script_user`;
      findings.add(rules.enforce ? "error" : "warning", use.at, reason, next);
      return;
    }
  }
}

function runsAsRoot(use: ScriptUse, { rules, facts }: Judging): boolean {
  const user = use.command.user ?? rules.user;
  if (user !== undefined) return user === "root" || user === "0";
  return facts.users?.includes(DEFAULT_SCRIPT_USER) !== true;
}

/** The ways in which scripts of the field get rid of keepalived. */
const STOPS_KEEPALIVED = new RegExp(
  [
    "service\\s+keepalived\\s+(?:stop|restart)",
    "systemctl\\s+(?:stop|kill|restart)\\s+keepalived",
    "init\\.d/keepalived\\s+(?:stop|restart)",
    "(?:killall|pkill)\\s+(?:-(?!0)\\S+\\s+)*keepalived",
    "kill\\s[^\\n]*(?:pidof|pgrep|\\.pid|keepalived)[^\\n]*keepalived[^\\n]*",
    "kill\\s[^\\n]*keepalived\\.pid[^\\n]*",
  ].join("|"),
  "u",
);

function warnAboutText(use: ScriptUse, path: string, text: string, findings: Findings): void {
  const code = text
    .split("\n")
    .map((line) => (line.startsWith("#!") ? "" : line.replace(/(^|\s)#.*$/u, "")))
    .join("\n");
  const stop = STOPS_KEEPALIVED.exec(code);
  if (stop !== null) {
    const reason = `line ${lineOf(code, stop.index)} of ${path} runs '${stop[0]}': that stops keepalived, not Nines`;
    const next = "let the script end with exit 1 there, and Nines moves the addresses";
    findings.warn(use.at, reason, next);
  }
  const dash = /\bps\s[^\n|]*?(\u2013|\u2014|\u00A8C|\uFFFD)/u.exec(code);
  if (dash !== null) {
    const reason = `line ${lineOf(code, dash.index)} of ${path} has '${dash[1]}' where a hyphen is meant: ps fails there`;
    findings.warn(use.at, reason, "type -- by hand; web pages change it");
  }
  warnAboutSleep(use, path, code, findings);
}

function warnAboutSleep(use: ScriptUse, path: string, code: string, findings: Findings): void {
  if (use.timeoutMs === undefined) return;
  const seconds = [...code.matchAll(/\bsleep\s+(\d+(?:\.\d+)?)\b/gu)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  );
  if (seconds * 1000 < use.timeoutMs || seconds === 0) return;
  const reason = `${path} sleeps ${seconds} s but may take ${use.timeoutMs / 1000} s: it is killed and counts as failed`;
  findings.warn(use.at, reason, `write timeout ${Math.ceil(seconds) + 1} in its vrrp_script`);
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
