/** `nines cert init|request|invite|join|show`: the group's certificates. */

import { readFileSync } from "node:fs";
import { isatty } from "node:tty";
import { DISK } from "../config/disk.ts";
import { accept, beginGroup, invite, makeRequest } from "../console/group-ca.ts";
import { readPapers, type Papers } from "../console/group-files.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

const INVITING = "ssh NODE nines cert request | nines cert invite NODE | ssh NODE nines cert join";

export async function certInit(
  stateDir: string,
  node: string,
  terminal: Terminal,
): Promise<ExitCode> {
  return trying(terminal, async () => {
    const papers = await beginGroup(stateDir, node);
    terminal.out(`begun the group ${papers.group}; this is ${node}`);
    terminal.out("next, for each other node:");
    terminal.out(`  ${INVITING}`);
  });
}

export function certRequest(stateDir: string, terminal: Terminal): Promise<ExitCode> {
  return trying(terminal, () => {
    terminal.out(makeRequest(stateDir).trimEnd());
    return Promise.resolve();
  });
}

interface Invited {
  readonly node: string;
  readonly days: number;
  /** With its request; undefined: standard input. */
  readonly file: string | undefined;
}

export function certInvite(
  stateDir: string,
  { node, days, file }: Invited,
  terminal: Terminal,
): Promise<ExitCode> {
  return trying(terminal, async () => {
    const publicKey = (): string => given(file, "a request");
    terminal.out((await invite(stateDir, { publicKey, node, days })).trimEnd());
  });
}

export function certJoin(
  stateDir: string,
  file: string | undefined,
  terminal: Terminal,
): Promise<ExitCode> {
  return trying(terminal, () => {
    const papers = accept(stateDir, given(file, "an invitation"));
    terminal.out(`this is ${describe(papers)}`);
    return Promise.resolve();
  });
}

/** Nobody types what is wanted here. */
function given(file: string | undefined, what: string): string {
  if (file === undefined && isatty(0)) throw new Error(`${what} is read from a pipe: ${INVITING}`);
  const trouble = file === undefined ? undefined : DISK.trouble?.(file);
  if (trouble !== undefined)
    throw new Error(`${file}: ${trouble}; ${what} goes through a pipe: ${INVITING}`);
  return readFileSync(file ?? 0, "utf8");
}

export function certShow(stateDir: string, terminal: Terminal): Promise<ExitCode> {
  return trying(terminal, () => {
    const papers = readPapers(stateDir);
    if (papers === undefined) throw new Error("this node is in no group: nines cert init, or join");
    terminal.out(describe(papers));
    return Promise.resolve();
  });
}

function describe({ node, group, endsMs }: Papers): string {
  const days = Math.floor((endsMs - Date.now()) / 86_400_000);
  const end = new Date(endsMs).toISOString().slice(0, 10);
  return `${node} of the group ${group}; its certificate ends on ${end}, in ${days} days`;
}

async function trying(terminal: Terminal, body: () => Promise<void>): Promise<ExitCode> {
  try {
    await body();
    return 0;
  } catch (error) {
    terminal.err(`nines: ${(error as Error).message}`);
    return 1;
  }
}
