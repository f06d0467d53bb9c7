/** Subcommands of the balancer: named, described and wired. */

import { InvalidArgumentError, type Command } from "commander";
import { parseDuration } from "../config/service/schema/kinds.ts";
import { ControlClient } from "../daemon/control-client.ts";
import { runDirectory } from "../daemon/run-directory.ts";
import type { ExitCode, Terminal } from "./terminal.ts";
import { version } from "../daemon/version.ts";

export interface Wiring {
  readonly terminal: Terminal;
  readonly end: (code: ExitCode) => void;
  /** Adds the options for the node's directories. */
  readonly withDirectories: (command: Command, state: boolean) => Command;
}

interface Flags {
  readonly runDir: string;
  readonly json?: boolean;
}

export function addBalanceCommands(program: Command, wiring: Wiring): void {
  addBalance(program, wiring);
  addViews(program, wiring);
  addBackend(program, wiring);
  addChanges(program, wiring);
}

function addBalance(program: Command, { terminal, end, withDirectories }: Wiring): void {
  withDirectories(program.command("balance"), true)
    .description("balance over these servers, without a configuration file")
    .argument("<listen>", ":8080, 10.0.0.1:80 or unix:PATH")
    .argument("<servers...>", "10.0.0.1:80, name:80, unix:PATH; also '10.0.0.1:80 weight=2'")
    .option("--check <path>", "ask each server for this by HTTP; default: a TCP connect")
    .option("--algorithm <name>", "as in nines.yaml: two-choices, round-robin, hash source ...")
    .option("--tls <pem>", "certificate and key; clients speak TLS and HTTP/2")
    .option("--workers <n>", "processes", parseCount)
    .option("--access-log <format>", "json or combined, to standard error")
    .option("--log <file>", "append the log (JSON lines) to this file")
    .action(async (listen: string, servers: string[], given: BalanceFlags) => {
      const { balance } = await import("./balance.ts");
      const options = {
        version: version(),
        realtime: true,
        console: true,
        listen,
        servers,
        ...given,
      };
      end(await balance(options, terminal));
    });
}

interface BalanceFlags extends Flags {
  readonly stateDir: string;
  readonly check?: string;
  readonly algorithm?: string;
  readonly tls?: string;
  readonly workers?: number;
  readonly accessLog?: string;
  readonly log?: string;
}

function addViews(program: Command, { terminal, end, withDirectories }: Wiring): void {
  withDirectories(program.command("pool"), false)
    .description("servers of a pool, their state and why")
    .argument("[name]")
    .option("--json", "for machines")
    .action(async (name: string | undefined, given: Flags) => {
      const { pool } = await import("./pool.ts");
      const options = { json: given.json ?? false, ...(name === undefined ? {} : { name }) };
      end(await pool(clientOf(given), options, terminal));
    });
  withDirectories(program.command("top"), false)
    .description("rates of frontends and servers, live; keys drain and weigh")
    .option("-n, --count <n>", "so many pictures, then the end", parseCount)
    .action(async (given: Flags & { readonly count?: number }) => {
      const { top } = await import("./top.ts");
      const options = { count: given.count ?? Infinity, input: process.stdin };
      end(await top(clientOf(given), options, terminal));
    });
  withDirectories(program.command("explain-request"), false)
    .description("which route, pool and server a request would get, and why")
    .argument("<request>", "'GET http://www.example/path'")
    .option("-H, --header <field>", "'Name: value'", append, [])
    .option("--source <address>", "of the client", "127.0.0.1")
    .option("--frontend <name>", "default: the one that listens on the port")
    .option("--json", "for machines")
    .action(async (request: string, given: ExplainFlags) => {
      const { explainRequest } = await import("./explain-request.ts");
      const { header: headers, source, frontend, json = false } = given;
      const options = { request, headers, source, json };
      const asked = frontend === undefined ? options : { ...options, frontend };
      end(await explainRequest(clientOf(given), asked, terminal));
    });
}

interface ExplainFlags extends Flags {
  readonly header: readonly string[];
  readonly source: string;
  readonly frontend?: string;
}

function addBackend(program: Command, { terminal, end, withDirectories }: Wiring): void {
  const group = program
    .command("backend")
    .description("order a server about: drain, maint, ready, weight");
  const texts = {
    drain: "no new requests but those that stick to it",
    maint: "no requests at all, and no checks",
    ready: "back to work",
  };
  for (const state of ["drain", "maint", "ready"] as const) {
    const command = withDirectories(group.command(state), false)
      .description(texts[state])
      .argument("<server>", "POOL/SERVER")
      .option("--reason <text>", "for events and `nines pool`");
    if (state !== "ready") {
      command
        .option("--wait", "until its last request is done")
        .option("--deadline <time>", "what still runs then is cut, e.g. 60s", parseTime);
    }
    command.action(async (server: string, given: OrderFlags) => {
      const { backend } = await import("./backend.ts");
      const { reason = "", deadline: deadlineMs, wait = false } = given;
      const order = {
        server,
        state,
        ...(reason === "" ? {} : { reason: reason.trim() }),
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      };
      end(await backend(clientOf(given), { order, wait }, terminal));
    });
  }
  withDirectories(group.command("weight"), false)
    .description("another share of the work, from 0 to 256; `configured` takes it back")
    .argument("<server>", "POOL/SERVER")
    .argument("<weight>", "0-256 or configured", parseWeight)
    .action(async (server: string, weight: number | null, given: Flags) => {
      const { backend } = await import("./backend.ts");
      end(await backend(clientOf(given), { order: { server, weight }, wait: false }, terminal));
    });
}

interface OrderFlags extends Flags {
  readonly reason?: string;
  readonly wait?: boolean;
  readonly deadline?: number;
}

function addChanges(program: Command, { terminal, end, withDirectories }: Wiring): void {
  withDirectories(program.command("plan"), false)
    .description("what a changed nines.yaml would change on the running system")
    .argument("<file>")
    .option("--json", "for machines")
    .action(async (file: string, given: Flags) => {
      const { plan } = await import("./plan.ts");
      end(await plan(clientOf(given), { file, json: given.json ?? false }, terminal));
    });
  withDirectories(program.command("apply"), false)
    .description("carry a changed nines.yaml out; it takes the place of the running one")
    .argument("<file>")
    .option("--confirm-within <time>", "goes back by itself unless confirmed, e.g. 60s", parseSpan)
    .action(async (file: string, given: Flags & { readonly confirmWithin?: number }) => {
      const { apply } = await import("./apply.ts");
      const { confirmWithin: confirmWithinMs } = given;
      const options = confirmWithinMs === undefined ? { file } : { file, confirmWithinMs };
      end(await apply(clientOf(given), options, terminal));
    });
  withDirectories(program.command("confirm"), false)
    .description("let an applied configuration stay")
    .action(async (given: Flags) => {
      const { confirm } = await import("./apply.ts");
      end(await confirm(clientOf(given), terminal));
    });
  withDirectories(program.command("upgrade"), false)
    .description("fresh processes of the program now on disk; no connection and no address is lost")
    .action(async (given: Flags) => {
      const { upgrade } = await import("./upgrade.ts");
      end(await upgrade(clientOf(given), terminal));
    });
}

function clientOf(given: Flags): ControlClient {
  return new ControlClient(runDirectory(given.runDir).controlSocket);
}

function append(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new InvalidArgumentError("not a whole number above 0");
  return count;
}

function parseTime(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError("write 500ms, 60s or 5m");
  return ms;
}

/** Nobody could confirm within no time. */
function parseSpan(text: string): number {
  const ms = parseTime(text);
  if (ms === 0) throw new InvalidArgumentError("longer than 0, please");
  return ms;
}

export function parseWeight(text: string): number | null {
  if (text === "configured") return null;
  // An empty text is a variable that a script forgot to set, not 0: that would take the server out.
  const weight = /^\d+$/.test(text) ? Number(text) : Infinity;
  if (weight <= 256) return weight;
  throw new InvalidArgumentError("a whole number from 0 to 256, or configured");
}
