/** Debian's MariaDB inside a host, with its data in the host's own `/run`. */
import type { Host } from "../host.ts";
import { untilListening } from "../listening.ts";
import type { LabProcess } from "../process.ts";

const DIRECTORY = "/run/mariadb";
const SOCKET = `${DIRECTORY}/sock`;

export interface MariadbOptions {
  /** Tells servers that replicate apart. */
  readonly serverId: number;
  /** Statements that it runs at its start, one a line. */
  readonly init: readonly string[];
  /** More options of the server. */
  readonly words?: readonly string[];
}

/** Makes the data folder (about 2 s) and starts it on port 3306. Throws MissingTool. */
export async function startMariadb(host: Host, options: MariadbOptions): Promise<LabProcess> {
  const { serverId, init, words = [] } = options;
  const file = host.write(`${DIRECTORY}/init.sql`, init.map((line) => `${line};\n`).join(""));
  const data = `--datadir=${DIRECTORY}/data`;
  const install = ["--no-defaults", data, "--user=root", "--skip-test-db", "--skip-name-resolve"];
  const normal = "--auth-root-authentication-method=normal";
  await host.run(["mariadb-install-db", ...install, normal], { timeoutMs: 60_000 });
  return start(host, [`--server-id=${serverId}`, `--init-file=${file}`, ...words]);
}

async function start(host: Host, words: readonly string[]): Promise<LabProcess> {
  const where = [`--datadir=${DIRECTORY}/data`, `--socket=${SOCKET}`, "--port=3306"];
  const open = ["--bind-address=0.0.0.0", "--skip-name-resolve", "--log-bin=log"];
  const quick = ["--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0"];
  const small = ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"];
  const pid = `--pid-file=${DIRECTORY}/pid`;
  const options = [...where, ...open, ...quick, ...small, pid, ...words];
  const argv = ["mariadbd", "--no-defaults", "--user=root", ...options];
  const daemon = await host.start(argv, { name: "mariadbd" });
  await untilListening(daemon, 3306, 30_000);
  return daemon;
}

/** As root, over the server's own socket. Resolves to what it printed. */
export function askMariadb(host: Host, statement: string): Promise<string> {
  const where = ["--no-defaults", `--socket=${SOCKET}`, "--user=root"];
  return host.run(["mariadb", ...where, "--batch", "--execute", statement]);
}
