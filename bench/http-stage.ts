/**
 * One host of a world, all on its loopback: proxies on the first CPU, backend and load on the
 * second. All proxies are up all the time; who is not asked costs next to nothing.
 */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { MissingTool, run, SEARCH_PATH } from "../src/lab/command.ts";
import type { Host } from "../src/lab/host.ts";
import { untilListening } from "../src/lab/listening.ts";
import { temporaryPaths } from "../src/lab/peers/nginx.ts";
import { treeOf } from "../src/lab/process-table.ts";
import { World } from "../src/lab/world.ts";
import { BACKEND_PORTS, CERTIFICATE, type Contender, type Proxy } from "./http-peers.ts";

export const PROXY_CPU = "0";
export const LOAD_CPU = "1";

export const bodies = { "2 B": "/2", "1 KiB": "/1k", "64 KiB": "/64k" } as const;
export type Body = keyof typeof bodies;
/** What is put under it is kept, the backend's files beside it. */
export const UPLOADS = "/kept";
export const BACKEND_FILES = "/run/backend";

export interface Stage {
  readonly world: World;
  readonly host: Host;
  readonly proxies: ReadonlyMap<string, Proxy>;
}

export async function startStage(chosen: readonly Contender[]): Promise<Stage> {
  const world = await World.create({ name: "bench", segments: [], hosts: { bench: {} } });
  try {
    const host = world.host("bench");
    await writeCertificate(host);
    await startBackend(host);
    const proxies = new Map<string, Proxy>();
    for (const contender of chosen) {
      const proxy = await contender.start(host, contender);
      for (const pid of proxy.pids()) await pin(pid, PROXY_CPU);
      proxies.set(contender.name, proxy);
    }
    return { world, host, proxies };
  } catch (error) {
    if (error instanceof Error) error.message += `\n${world.report()}`;
    world.destroy();
    throw error;
  }
}

/** With all of its threads; what it starts later inherits it. */
export async function pin(pid: number, cpu: string): Promise<void> {
  await run(["taskset", "-a", "-c", "-p", cpu, String(pid)]);
}

/** Throws MissingTool, which names the package. */
export function requireTools(...tools: readonly string[]): void {
  const directories = SEARCH_PATH.split(":");
  for (const tool of tools) {
    if (!directories.some((one) => existsSync(`${one}/${tool}`))) throw new MissingTool(tool);
  }
}

export function versionsText(): string {
  const first = (argv: readonly string[]): string => {
    // nginx and wrk tell their versions on the error stream; wrk calls that a failure.
    const words = ["-c", `${argv.join(" ")} 2>&1 || true`];
    return execFileSync("sh", words, { encoding: "utf8" }).split("\n", 1)[0]!.trim();
  };
  const [nginx, haproxy, wrk] = [
    ["nginx", "-v"],
    ["haproxy", "-v"],
    ["wrk", "-v"],
  ].map(first);
  const cpu = /^model name\s*: (.*)$/m.exec(first(["grep -m1 'model name' /proc/cpuinfo"]))?.[1];
  return [cpu, nginx, haproxy, wrk].filter(Boolean).join("; ");
}

async function writeCertificate(host: Host): Promise<void> {
  const key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" ");
  await host.run([
    "openssl",
    ...key,
    "-keyout",
    CERTIFICATE,
    "-out",
    CERTIFICATE,
    "-subj",
    "/CN=bench",
  ]);
}

/** Answers from memory; its own limits are those of the load's CPU. */
function backendConf(): string {
  return `
daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr error;
pid /run/backend/nginx.pid;
events { worker_connections 16384; }
http {
  ${temporaryPaths("/run/backend")}
  access_log off;
  keepalive_requests 100000000;
  keepalive_timeout 75s;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=10;
  default_type text/html;
  add_header X-Powered-By bench;
  client_max_body_size 0;
  client_body_buffer_size 256k;
  server {
    ${BACKEND_PORTS.map((port) => `listen 127.0.0.1:${port} backlog=4096;`).join("\n    ")}
    root ${BACKEND_FILES};
    location = ${bodies["2 B"]} { return 200 "ok"; }
    location ${UPLOADS} { dav_methods PUT; create_full_put_path on; }
  }
}
`;
}

async function startBackend(host: Host): Promise<void> {
  host.write(`${BACKEND_FILES}${bodies["1 KiB"]}`, "x".repeat(1024));
  host.write(`${BACKEND_FILES}${bodies["64 KiB"]}`, "x".repeat(65_536));
  const file = host.write("/run/backend/nginx.conf", backendConf());
  const argv = ["nginx", "-e", "stderr", "-c", file];
  const daemon = await host.start(argv, { name: "backend" });
  await untilListening(daemon, BACKEND_PORTS[1]);
  for (const pid of treeOf(daemon.pid)) await pin(pid, LOAD_CPU);
}
