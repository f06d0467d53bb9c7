/** `nines token create|list|revoke`: who may use the console. Works on the file, with or without a node. */

import { createToken, isValidAt, readTokens, revokeToken, tokensPath } from "../console/tokens.ts";
import { formatDuration } from "../lib/duration.ts";
import { formatTable } from "../lib/table.ts";
import type { ExitCode, Terminal } from "./terminal.ts";

export interface TokenPlace {
  readonly stateDir: string;
  readonly tokensFile?: string;
}

export interface MadeToken {
  readonly name: string;
  readonly role: "read" | "operate" | "probe";
  readonly lastsMs?: number;
}

export function tokenCreate(place: TokenPlace, made: MadeToken, terminal: Terminal): ExitCode {
  return trying(terminal, () => {
    const nowMs = Date.now();
    const { name, role, lastsMs } = made;
    const ends = lastsMs === undefined ? {} : { expiresMs: nowMs + lastsMs };
    const token = createToken(pathOf(place), { name, role, ...ends }, nowMs);
    // Alone on standard output, so that it can be piped into a file.
    terminal.out(token);
    terminal.err(`nines: ${name} may ${role}; this is shown once and kept nowhere`);
    return 0;
  });
}

export function tokenList(place: TokenPlace, json: boolean, terminal: Terminal): ExitCode {
  return trying(terminal, () => {
    const { tokens, trouble } = readTokens(pathOf(place));
    if (trouble !== undefined) throw new Error(trouble);
    if (json) {
      const shown = tokens.map(({ sha256: _sha256, ...one }) => one);
      terminal.out(JSON.stringify(shown, undefined, 2));
      return 0;
    }
    const nowMs = Date.now();
    const rows = tokens.map((one) => {
      const left = one.expiresMs === undefined ? "never" : formatDuration(one.expiresMs - nowMs);
      return [one.name, one.role, isValidAt(one, nowMs) ? left : "ended"];
    });
    if (rows.length === 0)
      terminal.err("nines: there is no token; make one: nines token create NAME");
    else for (const line of formatTable(["NAME", "ROLE", "ENDS IN"], rows)) terminal.out(line);
    return 0;
  });
}

export function tokenRevoke(place: TokenPlace, name: string, terminal: Terminal): ExitCode {
  return trying(terminal, () => {
    if (!revokeToken(pathOf(place), name))
      throw new Error(`there is no token '${name}': see nines token list`);
    terminal.out(`${name} is revoked`);
    return 0;
  });
}

function pathOf({ stateDir, tokensFile }: TokenPlace): string {
  return tokensFile ?? tokensPath(stateDir);
}

function trying(terminal: Terminal, body: () => ExitCode): ExitCode {
  try {
    return body();
  } catch (error) {
    terminal.err(`nines: ${(error as Error).message}`);
    return 1;
  }
}
