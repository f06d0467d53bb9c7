/** Subcommands around the console: who may use it, and which nodes belong together. */

import { hostname } from "node:os";
import { InvalidArgumentError, Option, type Command } from "commander";
import { parseDuration } from "../config/service/schema/kinds.ts";
import type { Wiring } from "./balance-commands.ts";

interface StateFlags {
  readonly stateDir: string;
}

export function addConsoleCommands(program: Command, wiring: Wiring): void {
  addToken(program, wiring);
  addCert(program, wiring);
}

interface TokenFlags extends StateFlags {
  readonly tokensFile?: string;
  readonly role: "read" | "operate" | "probe";
  readonly expires?: number;
  readonly json?: boolean;
}

function addToken(program: Command, { terminal, end }: Wiring): void {
  const group = program.command("token").description("who may use the console's page and API");
  const files = (command: Command): Command =>
    command
      .option("--state-dir <dir>", "lasting state", DEFAULT_STATE)
      .option("--tokens-file <file>", "as tokens_file in nines.yaml");
  files(group.command("create"))
    .description("make one; it is shown this once")
    .argument("<name>", "of the person or program, as it will stand in the journal")
    .addOption(
      new Option("--role <role>", "read; operate: may change things; probe: hands in reports only")
        .choices(["read", "operate", "probe"])
        .default("read"),
    )
    .option("--expires <time>", "from now, e.g. 12h, 90d; default: never", parseTime)
    .action(async (name: string, { role, expires, ...given }: TokenFlags) => {
      const { tokenCreate } = await import("./token.ts");
      const made = { name, role, ...(expires === undefined ? {} : { lastsMs: expires }) };
      end(tokenCreate(given, made, terminal));
    });
  files(group.command("list"))
    .description("names, roles, ends")
    .option("--json", "for machines")
    .action(async ({ json = false, ...given }: TokenFlags) => {
      const { tokenList } = await import("./token.ts");
      end(tokenList(given, json, terminal));
    });
  files(group.command("revoke"))
    .description("take one back, at once, with every session that came from it")
    .argument("<name>")
    .action(async (name: string, given: TokenFlags) => {
      const { tokenRevoke } = await import("./token.ts");
      end(tokenRevoke(given, name, terminal));
    });
}

interface CertFlags extends StateFlags {
  readonly node: string;
  readonly days: number;
}

function addCert(program: Command, { terminal, end }: Wiring): void {
  const group = program.command("cert").description("which nodes belong to one group (TLS)");
  const placed = (command: Command): Command =>
    command.option("--state-dir <dir>", "lasting state", DEFAULT_STATE);
  placed(group.command("init"))
    .description("begin a group here: an authority, and this node's certificate")
    .option("--node <name>", "this node as in nodes: of nines.yaml", hostname())
    .action(async ({ stateDir, node }: CertFlags) => {
      const { certInit } = await import("./cert.ts");
      end(await certInit(stateDir, node, terminal));
    });
  placed(group.command("request"))
    .description("on a node that is to join: make its key, and print the public half")
    .action(async ({ stateDir }: CertFlags) => {
      const { certRequest } = await import("./cert.ts");
      end(await certRequest(stateDir, terminal));
    });
  placed(group.command("invite"))
    .description("where the group was begun: answer a node's request with its certificate")
    .argument("<node>", "as in nodes: of nines.yaml")
    .argument("[request]", "a file; default: standard input")
    .option("--days <n>", "how long it lasts", parseDays, CERTIFICATE_DAYS)
    .action(async (node: string, file: string | undefined, { stateDir, days }: CertFlags) => {
      const { certInvite } = await import("./cert.ts");
      end(await certInvite(stateDir, { node, days, file }, terminal));
    });
  placed(group.command("join"))
    .description("take the answer to its request; all three again to renew, while everything runs")
    .argument("[file]", "default: standard input")
    .action(async (file: string | undefined, { stateDir }: CertFlags) => {
      const { certJoin } = await import("./cert.ts");
      end(await certJoin(stateDir, file, terminal));
    });
  placed(group.command("show"))
    .description("this node's certificate and when it ends")
    .action(async ({ stateDir }: CertFlags) => {
      const { certShow } = await import("./cert.ts");
      end(await certShow(stateDir, terminal));
    });
}

const DEFAULT_STATE = "/var/lib/nines";
/** What browsers allow; said here so that no other file is loaded for the help. */
const CERTIFICATE_DAYS = 398;

function parseTime(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError("write 12h or 90d");
  return ms;
}

function parseDays(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 3650) return days;
  throw new InvalidArgumentError("a whole number from 1 to 3650");
}
