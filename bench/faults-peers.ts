/**
 * nginx, HAProxy and Nines as their makers recommend them for a service that must not fail, with
 * the same times: 1 s to connect, 3 s to answer, checks twice a second where there are checks.
 */

import type { Host } from "../src/lab/host.ts";
import { untilListening } from "../src/lab/listening.ts";
import { temporaryPaths } from "../src/lab/peers/nginx.ts";
import { startBalancer } from "../src/lab/peers/nines.ts";
import { waitFor } from "../src/lab/wait.ts";
import { LB_PORT } from "./faults-stage.ts";
import type { Implementation } from "./http-peers.ts";

/** What configuration it is to have. */
export interface Wanted {
  /** Told in a header of each answer, so that two configurations differ. */
  readonly version: number;
  /** Addresses; port 80. */
  readonly servers: readonly string[];
  readonly checkEveryMs: number;
}

export interface Balancer {
  /** In place, while it serves. */
  reload(wanted: Wanted): Promise<void>;
  /** The program on disk takes over, as after an update of the package. */
  upgrade(): Promise<void>;
}

export function startPeer(
  implementation: Implementation,
  host: Host,
  wanted: Wanted,
): Promise<Balancer> {
  if (implementation === "nginx") return startNginx(host, wanted);
  return implementation === "HAProxy" ? startHaproxy(host, wanted) : startNines(host, wanted);
}

// ---- nginx ----

const NGINX_FILE = "/run/nginx/nginx.conf";
const NGINX_PID = "/run/nginx/nginx.pid";

function nginxConf({ version, servers }: Wanted): string {
  return `
user root;
worker_processes 1;
worker_shutdown_timeout 10s;
error_log /run/nginx/error.log crit;
pid ${NGINX_PID};
events { worker_connections 8192; }
http {
  access_log off;
  ${temporaryPaths("/run/nginx")}
  upstream web {
    zone web 2m;
    ${servers.map((at) => `server ${at}:80 max_fails=2 fail_timeout=5s;`).join("\n    ")}
    keepalive 64;
  }
  server {
    listen ${LB_PORT} backlog=4096;
    location / {
      proxy_pass http://web;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_connect_timeout 1s;
      proxy_read_timeout 3s;
      proxy_send_timeout 3s;
      proxy_next_upstream error timeout invalid_header http_500 http_502 http_503 http_504;
      proxy_next_upstream_tries 3;
      add_header X-Version ${version};
    }
  }
}
`;
}

async function startNginx(host: Host, wanted: Wanted): Promise<Balancer> {
  host.write(NGINX_FILE, nginxConf(wanted));
  // As a daemon and by its path: otherwise it cannot be upgraded.
  const start = `$(command -v nginx) -e /run/nginx/error.log -c ${NGINX_FILE}`;
  await host.run(["sh", "-c", `exec ${start}`]);
  const master = (): string => host.read(NGINX_PID).trim();
  return {
    reload: async (next) => {
      host.write(NGINX_FILE, nginxConf(next));
      await host.run(["kill", "-HUP", master()]);
    },
    // "Upgrading Executable on the Fly": the new one starts, the old one finishes what it has.
    upgrade: async () => {
      const old = master();
      await host.run(["kill", "-USR2", old]);
      await waitFor(() => master() !== old, 5000, "nginx's new master");
      await host.run(["sh", "-c", `sleep 0.5; kill -QUIT ${old}`]);
      // It takes no further upgrade as long as its predecessor is there.
      await host.run(["sh", "-c", `while kill -0 ${old} 2>/dev/null; do sleep 0.1; done`]);
    },
  };
}

// ---- HAProxy ----

const HAPROXY_FILE = "/run/haproxy.cfg";

function haproxyConf({ version, servers, checkEveryMs }: Wanted): string {
  const checks = `check inter ${checkEveryMs}ms fastinter ${checkEveryMs / 2}ms rise 2 fall 2`;
  const passive = "observe layer7 error-limit 5 on-error mark-down";
  return `
global
  nbthread 1
  stats socket /run/haproxy.sock mode 600 level admin expose-fd listeners
  hard-stop-after 10s
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 3s
  timeout check 500ms
  timeout http-request 10s
  timeout http-keep-alive 60s
  timeout queue 5s
  retries 3
  option redispatch 1
  option idle-close-on-response
  retry-on all-retryable-errors
frontend web
  bind :${LB_PORT} backlog 4096
  http-request disable-l7-retry unless METH_GET
  http-response set-header X-Version ${version}
  default_backend web
backend web
  balance roundrobin
  option httpchk GET /health
  default-server ${checks} ${passive} on-marked-down shutdown-sessions
${servers.map((at, i) => `  server s${i} ${at}:80`).join("\n")}
`;
}

async function startHaproxy(host: Host, wanted: Wanted): Promise<Balancer> {
  host.write(HAPROXY_FILE, haproxyConf(wanted));
  const daemon = await host.start(["haproxy", "-W", "-f", HAPROXY_FILE]);
  await untilListening(daemon, LB_PORT);
  // The master starts the program on disk anew, which gets the sockets from its predecessor.
  const restart = async (): Promise<void> => {
    daemon.signal("SIGUSR2");
  };
  return {
    reload: async (next) => {
      host.write(HAPROXY_FILE, haproxyConf(next));
      await restart();
    },
    upgrade: restart,
  };
}

// ---- Nines ----

const NINES_FILE = "/run/nines.yaml";

function ninesYaml({ version, servers, checkEveryMs }: Wanted): string {
  const headers = { response_headers: { set: { "x-version": String(version) } } };
  const check = { http: "/health", every: `${checkEveryMs}ms`, timeout: "500ms", rise: 2, fall: 2 };
  const pool = {
    servers: servers.map((at) => `${at}:80`),
    check,
    timeouts: { connect: "1s", response: "3s" },
  };
  // JSON is YAML.
  return JSON.stringify({
    frontends: {
      web: { listen: `:${LB_PORT}`, routes: [{ path: "/*", pool: "web", ...headers }] },
    },
    pools: { web: pool },
  });
}

async function startNines(host: Host, wanted: Wanted): Promise<Balancer> {
  host.write(NINES_FILE, ninesYaml(wanted));
  const peer = await startBalancer(host, ["run", "-f", NINES_FILE]);
  return {
    reload: async (next) => {
      host.write(NINES_FILE, ninesYaml(next));
      await peer.post("/v1/reload");
    },
    upgrade: async () => {
      await peer.nines("upgrade");
    },
  };
}
