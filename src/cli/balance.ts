/** `nines balance :8080 10.0.0.1:80 …`: a balancer without a configuration file. */

import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_RUN_DIRECTORY, DEFAULT_STATE_DIRECTORY } from "../daemon/run-directory.ts";
import { counted } from "../lib/plural.ts";
import type { ExitCode, Terminal } from "./terminal.ts";
import { run, type RunOptions } from "./run.ts";

export interface BalanceOptions extends Omit<
  RunOptions,
  "file" | "text" | "greeting" | "permissive"
> {
  /** `:8080`, `10.0.0.1:80` or `unix:/run/web.sock`. */
  readonly listen: string;
  readonly servers: readonly string[];
  /** Path of an HTTP check; absent: a TCP connect. */
  readonly check?: string;
  readonly algorithm?: string;
  /** PEM file with certificate and key. */
  readonly tls?: string;
  readonly workers?: number;
  readonly accessLog?: string;
}

/** Stands in messages where a file would. */
const NAME = "command-line.yaml";

export function balance(options: BalanceOptions, terminal: Terminal): Promise<ExitCode> {
  const { listen, servers } = options;
  const places = placesFor(options);
  const hint = places.runDir === DEFAULT_RUN_DIRECTORY ? "" : ` --run-dir ${places.runDir}`;
  const count = counted(servers.length, "server");
  const asked = options.check === undefined ? "a TCP connect" : `GET ${options.check}`;
  const greeting = [
    `nines balances ${listen} over ${count}, each asked every 2 s by ${asked}`,
    `look: nines pool${hint}    live: nines top${hint}    end: Ctrl-C`,
  ];
  const text = serviceText(options);
  const node = { ...options, ...places, file: NAME, text, greeting, permissive: false };
  return run(node, terminal);
}

/** Directories of our own for a user who may not use the system's. */
function placesFor({ runDir, stateDir }: BalanceOptions): { runDir: string; stateDir: string } {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return { runDir, stateDir };
  const own = join(process.env["XDG_RUNTIME_DIR"] ?? tmpdir(), `nines-${uid}`);
  return {
    runDir: runDir === DEFAULT_RUN_DIRECTORY ? own : runDir,
    stateDir: stateDir === DEFAULT_STATE_DIRECTORY ? own : stateDir,
  };
}

/** The nines.yaml that says the same; JSON is YAML. */
export function serviceText(options: BalanceOptions): string {
  const { listen, servers, check, algorithm, tls, workers, accessLog } = options;
  const service = {
    ...(workers === undefined ? {} : { workers }),
    frontends: {
      web: {
        listen,
        pool: "web",
        ...(tls === undefined ? {} : { tls }),
        ...(accessLog === undefined ? {} : { access_log: accessLog }),
      },
    },
    pools: {
      web: {
        servers,
        check: check === undefined ? { tcp: true } : { http: check },
        ...(algorithm === undefined ? {} : { balance: algorithm }),
      },
    },
  };
  return JSON.stringify(service, undefined, 2);
}
