/** Debian's PostgreSQL inside a host, as its own user, with its data in the host's own `/run`. */
import { existsSync, readdirSync } from "node:fs";
import { MissingTool } from "../command.ts";
import type { Host } from "../host.ts";
import { untilListening } from "../listening.ts";
import type { LabProcess } from "../process.ts";
import { waitFor } from "../wait.ts";

const VERSIONS = "/usr/lib/postgresql";
const DIRECTORY = "/run/postgresql-lab";
const DATA = `${DIRECTORY}/data`;
/** It refuses to run as root; the package brings this user. */
const AS_ITSELF = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"];

/** Debian keeps the programs of each version apart. Throws MissingTool. */
function program(name: string): string {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS) : [];
  const newest = versions.toSorted((a, b) => Number(b) - Number(a))[0];
  const path = `${VERSIONS}/${newest}/bin/${name}`;
  if (newest === undefined || !existsSync(path)) throw new MissingTool("postgresql");
  return path;
}

async function prepare(host: Host): Promise<void> {
  host.write(`${DIRECTORY}/note`, "");
  await host.run(["chown", "-R", "postgres:postgres", DIRECTORY]);
}

/** A new database (about 2 s) on port 5432. `access`: lines of `pg_hba.conf`. */
export async function startPostgresql(
  host: Host,
  { access, init }: { readonly access: readonly string[]; readonly init: readonly string[] },
): Promise<LabProcess> {
  await prepare(host);
  const words = ["-D", DATA, "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"];
  await host.run([...AS_ITSELF, program("initdb"), ...words], { timeoutMs: 60_000 });
  const trust = "local all all trust";
  host.write(`${DATA}/pg_hba.conf`, `${[trust, ...access].join("\n")}\n`);
  const daemon = await start(host, []);
  for (const statement of init) await askPostgresql(host, statement);
  return daemon;
}

/** A copy of `primary` (host address) that follows it, with the user that may replicate. */
export async function startStandby(
  host: Host,
  primary: string,
  user: string,
  words: readonly string[] = [],
): Promise<LabProcess> {
  await prepare(host);
  const from = `host=${primary} user=${user}`;
  const copy = ["-D", DATA, "-R", "--checkpoint=fast", "--no-sync", "-d", from];
  const argv = [...AS_ITSELF, program("pg_basebackup"), ...copy];
  await host.run(argv, { timeoutMs: 60_000 });
  return start(host, words);
}

async function start(host: Host, words: readonly string[]): Promise<LabProcess> {
  const where = ["-D", DATA, "-p", "5432", "-c", "listen_addresses=*", "-k", DIRECTORY];
  const quick = ["-c", "fsync=off", "-c", "shared_buffers=16MB"];
  const argv = [...AS_ITSELF, program("postgres"), ...where, ...quick, ...words];
  const daemon = await host.start(argv, { name: "postgres" });
  await untilListening(daemon, 5432, 30_000);
  const ready = ["pg_isready", "-q", "-h", DIRECTORY];
  await waitFor(() => host.run(ready).then(() => true), 20_000, `postgres of ${host.name}`);
  return daemon;
}

/** As the superuser, over the server's own socket. Resolves to what it printed. */
export function askPostgresql(host: Host, statement: string): Promise<string> {
  const psql = [program("psql"), "-h", DIRECTORY, "-U", "postgres", "-At", "-c", statement];
  return host.run([...AS_ITSELF, ...psql]);
}
