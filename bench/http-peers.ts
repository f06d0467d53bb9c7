/**
 * The same proxy, said in three languages. Where one of them has something switched on by default
 * (HAProxy and Nines check their servers, nginx cannot), the default stays.
 */

import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { temporaryPaths } from "../src/lab/peers/nginx.ts";
import { startBalancer } from "../src/lab/peers/nines.ts";
import type { Host } from "../src/lab/host.ts";
import { untilListening } from "../src/lab/listening.ts";
import { treeOf } from "../src/lab/process-table.ts";
import { WrongOption } from "./options.ts";

export type Implementation = "nginx" | "HAProxy" | "Nines";
export const implementations: readonly Implementation[] = ["nginx", "HAProxy", "Nines"];

/**
 * `lean`: passes requests on, adds nothing. `full`: X-Forwarded-For, -Proto and -Host, a request
 * id, one header set and one removed each way, metrics. `log`: the same and an access log. `tls`:
 * the same as full, over TLS 1.3 with a P-256 certificate; whoever asks for it gets HTTP/2.
 */
export type Door = "lean" | "full" | "log" | "tls";
export const doors: readonly Door[] = ["lean", "full", "log", "tls"];

export interface Proxy {
  readonly name: string;
  readonly firstPort: number;
  /** Numbers of all processes that it consists of now. */
  pids(): number[];
}

/** Somebody to be measured. */
export interface Contender {
  readonly name: string;
  /** Of its first door; each has as many as there are doors. */
  readonly firstPort: number;
  readonly start: (host: Host, contender: Contender) => Promise<Proxy>;
}

/** The servers behind all of them. */
export const BACKEND_PORTS = [9001, 9002] as const;
export const CERTIFICATE = "/run/bench.pem";

const PEERS: readonly Contender[] = [
  { name: "nginx", firstPort: 8100, start: startNginxProxy },
  { name: "HAProxy", firstPort: 8200, start: startHaproxyProxy },
  { name: "Nines", firstPort: 8300, start: (host, self) => startNinesProxy(host, self, ROOT) },
];
const ROOT = resolve(import.meta.dirname, "..");

/** All peers, and other copies of Nines by their directories. */
export function contenders(beside: readonly string[]): readonly Contender[] {
  const others = beside.map((directory, i): Contender => {
    const root = resolve(directory);
    if (!existsSync(`${root}/bin/nines`)) {
      throw new WrongOption(`--beside: there is no copy of Nines in ${root}`);
    }
    return {
      name: `Nines of ${basename(root)}`,
      firstPort: 10_000 + 100 * i,
      start: (host, self) => startNinesProxy(host, self, root),
    };
  });
  return [...PEERS, ...others];
}

export function portOf({ firstPort }: Pick<Contender, "firstPort">, door: Door): number {
  return firstPort + doors.indexOf(door);
}

// ---- nginx ----

const NGINX_FULL = `
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Request-Id $request_id;
      proxy_set_header X-Bench yes;
      proxy_set_header DNT "";
      proxy_hide_header X-Powered-By;
      add_header X-Frame-Options DENY;`;

function nginxServer(contender: Contender, door: Door): string {
  const isTls = door === "tls";
  return `
  server {
    listen 127.0.0.1:${portOf(contender, door)}${isTls ? " ssl http2" : ""} backlog=4096;
    ${isTls ? `ssl_certificate ${CERTIFICATE}; ssl_certificate_key ${CERTIFICATE};` : ""}
    ${isTls ? "ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:10m;" : ""}
    access_log ${door === "log" ? "/run/nginx-access.log combined buffer=64k flush=1s" : "off"};
    location /nginx_status { stub_status; }
    location / {
      proxy_pass http://web;
      proxy_http_version 1.1;
      proxy_set_header Connection "";${door === "lean" ? "" : NGINX_FULL}
    }
  }`;
}

function nginxConf(contender: Contender): string {
  return `
daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr error;
pid /run/bench/nginx.pid;
events { worker_connections 16384; }
http {
  ${temporaryPaths("/run/bench")}
  keepalive_requests 100000000;
  keepalive_timeout 60s;
  client_header_timeout 10s;
  client_body_timeout 30s;
  proxy_connect_timeout 3s;
  proxy_read_timeout 60s;
  proxy_send_timeout 60s;
  proxy_buffers 8 16k;
  proxy_buffer_size 8k;
  proxy_max_temp_file_size 0;
  proxy_request_buffering off;
  client_max_body_size 0;
  upstream web {
    ${BACKEND_PORTS.map((port) => `server 127.0.0.1:${port} max_fails=3;`).join("\n    ")}
    keepalive 256;
    keepalive_requests 100000000;
    keepalive_timeout 60s;
  }${doors.map((door) => nginxServer(contender, door)).join("")}
}
`;
}

async function startNginxProxy(host: Host, contender: Contender): Promise<Proxy> {
  const file = host.write("/run/bench/nginx.conf", nginxConf(contender));
  const argv = ["nginx", "-e", "stderr", "-c", file];
  const daemon = await host.start(argv, { name: "proxy-nginx" });
  await untilListening(daemon, portOf(contender, "lean"));
  return { ...contender, pids: () => treeOf(daemon.pid) };
}

// ---- HAProxy ----

const HAPROXY_FULL = `
  option forwardfor
  unique-id-format %[uuid()]
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Bench yes
  http-request del-header DNT
  http-response del-header X-Powered-By
  http-response set-header X-Frame-Options DENY`;

function haproxyFrontend(contender: Contender, door: Door): string {
  const tls = door === "tls" ? ` ssl crt ${CERTIFICATE} ssl-min-ver TLSv1.2 alpn h2,http/1.1` : "";
  return `
frontend ${door}
  bind 127.0.0.1:${portOf(contender, door)} backlog 4096${tls}
  ${door === "log" ? "log stdout format raw local0\n  option httplog" : "no log"}
  default_backend web${door === "lean" ? "" : HAPROXY_FULL}
`;
}

const HAPROXY_REST = `
global
  nbthread 1
  maxconn 9000
defaults
  mode http
  timeout connect 3s
  timeout client 30s
  timeout server 60s
  timeout http-request 10s
  timeout http-keep-alive 60s
  option redispatch
  retries 3
frontend metrics
  bind 127.0.0.1:8299
  http-request use-service prometheus-exporter if { path /metrics }
backend web
  balance random(2)
  http-reuse always
${BACKEND_PORTS.map((port) => `  server s${port} 127.0.0.1:${port} check pool-max-conn 256 pool-purge-delay 60s\n`).join("")}
`;

async function startHaproxyProxy(host: Host, contender: Contender): Promise<Proxy> {
  const frontends = doors.map((door) => haproxyFrontend(contender, door));
  const text = HAPROXY_REST + frontends.join("");
  const file = host.write("/run/bench/haproxy.cfg", text);
  const daemon = await host.start(["haproxy", "-db", "-f", file], { name: "proxy-haproxy" });
  await untilListening(daemon, portOf(contender, "lean"));
  return { ...contender, pids: () => treeOf(daemon.pid) };
}

// ---- Nines ----

function ninesFrontend(contender: Contender, door: Door): readonly [string, object] {
  const listen = `127.0.0.1:${portOf(contender, door)}`;
  if (door === "lean") {
    return [door, { listen, pool: "web", forwarded: "off", request_id: "" }];
  }
  const headers = {
    request_headers: { remove: "dnt", set: { "x-bench": "yes" } },
    response_headers: { remove: "x-powered-by", set: { "x-frame-options": "DENY" } },
  };
  const file = `/run/nines-access-${contender.firstPort}.log`;
  const more = {
    lean: {},
    full: {},
    log: { access_log: { format: "combined", file } },
    tls: { tls: CERTIFICATE },
  }[door];
  return [
    door,
    { listen, pool: "web", routes: [{ path: "/*", pool: "web", ...headers }], ...more },
  ];
}

function ninesYaml(contender: Contender): string {
  const servers = BACKEND_PORTS.map((port) => `127.0.0.1:${port}`);
  const timeouts = { keep_alive: "60s" };
  const pool = { servers, check: { tcp: true }, max_idle_per_server: 256, timeouts };
  // JSON is YAML.
  return JSON.stringify({
    frontends: Object.fromEntries(doors.map((door) => ninesFrontend(contender, door))),
    pools: { web: pool },
  });
}

async function startNinesProxy(host: Host, contender: Contender, root: string): Promise<Proxy> {
  const { firstPort } = contender;
  const file = host.write(`/run/bench/nines-${firstPort}.yaml`, ninesYaml(contender));
  const place = {
    name: `nines-${firstPort}`,
    bin: `${root}/bin/nines`,
    runDirectory: `/run/nines-${firstPort}`,
    stateDirectory: `/run/nines-state-${firstPort}`,
  };
  const peer = await startBalancer(host, ["run", "-f", file], {}, place);
  const pids = (): number[] => [
    peer.supervisor.pid,
    ...(["balance", "check", "vrrp", "spare", "console"] as const).flatMap((role) =>
      peer.pids(role),
    ),
  ];
  return { ...contender, pids };
}
