/** Scripts that are unsafe, missing, too slow, or written for keepalived rather than for Nines. */

import type { NotifyCommand } from "../core/vrrp/settings.ts";
import type { Findings, Place } from "./diagnostic.ts";
import type { FileFact, HostFacts } from "./host-facts.ts";
import type { Model } from "./model.ts";

interface ScriptUse {
  readonly command: NotifyCommand;
  readonly at: Place;
  /** Tracked scripts: the time one run may take. */
  readonly timeoutMs?: number;
}

export function warnAboutScripts(model: Model, facts: HostFacts, findings: Findings): void {
  for (const use of usesOf(model)) {
    warnAboutShell(use, findings);
    warnAboutUser(use, model, facts, findings);
    warnAboutFile(use, model, facts, findings);
  }
}

function usesOf(model: Model): ScriptUse[] {
  const nowhere = { file: "", line: 1, column: 1, text: "" };
  const place = (key: string): Place => model.origins.get(key) ?? nowhere;
  const tracked = model.vrrp.scripts.map((script) => ({
    command: script.command,
    at: place(`script of ${script.name}`),
    timeoutMs: script.timeoutMs,
  }));
  const keywords = {
    master: "notify_master",
    backup: "notify_backup",
    fault: "notify_fault",
    stop: "notify_stop",
    deleted: "notify_deleted",
    any: "notify",
    masterReceivedLowerPriority: "notify_master_rx_lower_pri",
  } as const;
  const notified = [...model.vrrp.instances, ...model.vrrp.groups].flatMap((one) =>
    Object.entries(keywords).flatMap(([key, keyword]) => {
      const command = one.notify[key as keyof typeof keywords];
      return command === undefined ? [] : [{ command, at: place(`${keyword} of ${one.name}`) }];
    }),
  );
  return [...tracked, ...notified];
}

function warnAboutShell(use: ScriptUse, findings: Findings): void {
  const odd = use.command.argv.find((word) => /^(?:[<>|;&]|\d?>)|[|;]$|^&&$|\$\(|`/u.test(word));
  if (odd === undefined || /(^|\/)(ba|da|z|k)?sh$/u.test(use.command.argv[0]!)) return;
  const next = "there is no shell: put the line into a script, or write /bin/sh -c '…'";
  findings.warn(use.at, `'${odd}' means something to a shell only`, next);
}

function warnAboutUser(use: ScriptUse, model: Model, facts: HostFacts, findings: Findings): void {
  const user = use.command.user ?? model.scripts.user;
  const group = use.command.group ?? model.scripts.group;
  const isKnown = (name: string | undefined, names: readonly string[] | undefined): boolean =>
    name === undefined || names === undefined || /^\d+$/u.test(name) || names.includes(name);
  if (!isKnown(user, facts.users)) {
    const next = "create it, or quote the command if this was meant as an argument";
    findings.warn(use.at, `there is no user '${user}' on this machine`, next);
  }
  if (!isKnown(group, facts.groups)) {
    findings.warn(use.at, `there is no group '${group}' on this machine`, "create it");
  }
}

function warnAboutFile(use: ScriptUse, model: Model, facts: HostFacts, findings: Findings): void {
  const path = use.command.argv[0] ?? "";
  if (facts.file === undefined || !path.startsWith("/")) return;
  const fact = facts.file(path);
  if (fact === undefined) {
    findings.warn(
      use.at,
      `${path} does not exist on this machine`,
      "install it, or correct the path",
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
  checkSafety(use, path, model, { find: facts.file, findings });
  if (fact.text !== undefined) warnAboutText(use, path, fact.text, findings);
}

/**
 * keepalived skips an unsafe script without a word in the state (its threads #2184, #842); a
 * check that does not run is worse than a daemon that does not start, so this is an error.
 */
function checkSafety(
  use: ScriptUse,
  path: string,
  model: Model,
  with_: { find: (path: string) => FileFact | undefined; findings: Findings },
): void {
  const { find, findings } = with_;
  const parts = path.split("/").slice(1);
  for (let depth = parts.length; depth >= 0; depth--) {
    const part = `/${parts.slice(0, depth).join("/")}`;
    const fact = find(part);
    if (fact === undefined) continue;
    const sticky = fact.directory && (fact.mode & 0o1000) !== 0;
    if ((fact.mode & 0o002) !== 0 && !sticky) {
      const next = `run: chmod o-w ${part}`;
      findings.error(use.at, `everybody can change ${part}: the script is unsafe`, next);
      return;
    }
    const others = fact.uid !== 0 || ((fact.mode & 0o020) !== 0 && fact.gid !== 0);
    if (others && runsAsRoot(use, model)) {
      const reason = `somebody other than root can change ${part}, and root would run it`;
      const next = `run: chown root:root ${part}; chmod go-w ${part}, or set script_user`;
      findings.add(model.scripts.enforce ? "error" : "warning", use.at, reason, next);
      return;
    }
  }
}

function runsAsRoot(use: ScriptUse, model: Model): boolean {
  const user = use.command.user ?? model.scripts.user;
  return user === undefined || user === "root" || user === "0";
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
