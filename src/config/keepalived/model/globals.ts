/** `global_defs` and the settings outside of all blocks, with their defaults. */

import type { NotifyCommand } from "../../../core/vrrp/settings.ts";
import type {
  Fifo,
  FifoSettings,
  LifecycleHook,
  LifecycleHooks,
  MailSettings,
  ProcessesSettings,
  RoleProcess,
  ScriptSecurity,
} from "../../model.ts";
import type { Block } from "../block.ts";
import type { Word } from "../source-line.ts";
import { splitCommand } from "../value.ts";
import { type Context, remember, rememberedCommand } from "./context.ts";
import { optional } from "./route-lines.ts";

const SMTP_PORT = 25;

export function readMail(globals: Block, context: Context): MailSettings {
  const to = globals
    .lines("notification_email")
    .flatMap((line) => [line.keyword, ...line.args])
    .map((word) => checkedMailbox(word, context));
  if (to.length > 0) remember(context, "notification_email", globals.at("notification_email"));
  return {
    to,
    from: readFrom(globals.words("notification_email_from"), context),
    ...optional("server", readServer(globals, context)),
    ...optional("heloName", globals.text("smtp_helo_name")),
    tls: readTls(globals.text("smtp_tls")),
    connectTimeoutMs: globals.number("smtp_connect_timeout") ?? 30_000,
    onFault: !globals.has("no_email_faults"),
    ...optional("checker", checkerMail(globals)),
    ...(globals.flag("no_checker_emails") ? { serversOnly: true } : {}),
  };
}

export function checkerMail(globals: Block): boolean | undefined {
  return globals.bool("smtp_alert_checker") ?? globals.bool("smtp_alert");
}

/** The name need not be in quotes here: all words are the sender. */
function readFrom(words: readonly Word[] | undefined, context: Context): string {
  const [first] = words ?? [];
  if (first === undefined) return `keepalived@${context.hostName}`;
  return checkedMailbox({ ...first, text: joinWords(words!) }, context);
}

/**
 * `ADDRESS`, or `"NAME <ADDRESS>"` in quotes. A local part alone is fine: the mail server completes
 * it. The name is quoted as RFC 5322 3.2.4 wants it: a comma in it would end the address.
 */
function checkedMailbox(word: Word, context: Context): string {
  const named = /^\s*(.*?)\s*<([^<>]*)>\s*$/u.exec(word.text);
  const address = named?.[2] ?? word.text;
  if (!/^[^\s@,;<>]+(@[^\s@,;<>]+)?$/u.test(address)) {
    const next = 'one address a line, without commas, or "NAME <ADDRESS>"';
    context.findings.error(word, `'${word.text}' is not a mail address`, next);
  }
  const name = (named?.[1] ?? "").replace(/^"(.*)"$/u, "$1");
  return name === "" ? address : `${JSON.stringify(name)} <${address}>`;
}

function readServer(globals: Block, context: Context): MailSettings["server"] {
  const [host, port] = globals.words("smtp_server") ?? [];
  if (host === undefined) return undefined;
  remember(context, "smtp_server", host);
  const number = port === undefined ? SMTP_PORT : Number(port.text);
  if (!Number.isInteger(number) || number < 1 || number > 65535) {
    context.findings.error(port!, `the port '${port!.text}' is wrong`, "write 1 to 65535");
  }
  return { host: host.text, port: number };
}

function readTls(word: string | undefined): MailSettings["tls"] {
  return word === "accept" || word === "off" ? word : "verify";
}

export function readScriptSecurity(globals: Block): ScriptSecurity {
  const [user, group] = globals.words("script_user") ?? [];
  return {
    ...optional("user", user?.text.replace(/:$/u, "")),
    ...optional("group", group?.text.replace(/^:/u, "")),
    enforce: globals.flag("enable_script_security"),
  };
}

export function readProcesses(top: Block, globals: Block): ProcessesSettings {
  return {
    vrrp: readRole(globals, "vrrp"),
    checker: readRole(globals, "checker"),
    childWaitMs: top.number("child_wait_time") ?? 5000,
  };
}

function readRole(globals: Block, role: "vrrp" | "checker"): RoleProcess {
  return {
    ...optional("realtimePriority", globals.number(`${role}_rt_priority`)),
    ...optional("rttimeLimitUs", globals.number(`${role}_rlimit_rttime`)),
    ...optional("nice", globals.number(`${role}_priority`)),
    cpus: globals.numbers(`${role}_cpu_affinity`),
  };
}

export function readFifos(globals: Block, context: Context): FifoSettings {
  return {
    all: readFifo(globals, "notify_fifo", context),
    vrrp: readFifo(globals, "vrrp_notify_fifo", context),
    lvs: readFifo(globals, "lvs_notify_fifo", context),
    writeStatesOnReload: globals.has("fifo_write_vrrp_states_on_reload"),
  };
}

function readFifo(globals: Block, name: string, context: Context): Fifo {
  const [path, user, group] = globals.words(name) ?? [];
  const target =
    path === undefined
      ? undefined
      : { path: path.text, ...optional("user", user?.text), ...optional("group", group?.text) };
  return {
    ...optional("target", target),
    ...optional("script", rememberedCommand(globals, `${name}_script`, context)),
  };
}

export function readHooks(globals: Block, context: Context): LifecycleHooks {
  return {
    ...optional("startup", readHook(globals, "startup_script", context)),
    ...optional("shutdown", readHook(globals, "shutdown_script", context)),
  };
}

function readHook(globals: Block, name: string, context: Context): LifecycleHook | undefined {
  const command = rememberedCommand(globals, name, context);
  if (command === undefined) return undefined;
  return { command, timeoutMs: globals.number(`${name}_timeout`) ?? 10_000 };
}

export function joinWords(words: readonly Word[]): string {
  return words.map((word) => word.text).join(" ");
}

/** `script "CMD ARGS"` or `script CMD ARGS`: all words are the command. */
function argvOf(words: readonly Word[]): readonly string[] {
  return words.flatMap((word, i) => (i === 0 ? splitCommand(word) : [word.text]));
}

/** A command with the user given by a keyword of its own. */
export function commandWithUser(block: Block, name: string): NotifyCommand | undefined {
  const words = block.words(name);
  if (words === undefined) return undefined;
  const [user, group] = block.words("user") ?? [];
  return {
    argv: argvOf(words),
    ...optional("user", user?.text.replace(/:$/u, "")),
    ...optional("group", group?.text.replace(/^:/u, "")),
  };
}
