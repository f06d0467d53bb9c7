/** Debian's nginx inside a host, which answers every request with the host's name. */
import { readFileSync } from "node:fs";
import { MissingTool, isInstalled } from "../command.ts";
import type { Host } from "../host.ts";
import { untilListening } from "../listening.ts";
import type { LabProcess } from "../process.ts";

export function nginxIsInstalled(): boolean {
  return isInstalled("nginx");
}

/** Resolves when it answers on port 80 of the host's own loopback. Throws MissingTool. */
export async function startNginx(host: Host, text: string = nginxConf(host)): Promise<LabProcess> {
  if (!nginxIsInstalled()) throw new MissingTool("nginx");
  const file = host.write("/run/nginx/nginx.conf", text);
  // The log of the very first moments would otherwise go to a file of the machine.
  const daemon = await host.start(["nginx", "-e", "stderr", "-c", file]);
  await untilListening(daemon, 80);
  return daemon;
}

/** One worker, nothing written outside of `/run/nginx`. `more` goes into the http block. */
export function nginxConf(host: Host, more = ""): string {
  return `
daemon off;
${mayChangeGroups() ? "" : "master_process off;"}
user root;
worker_processes 1;
error_log stderr ${more === "" ? "notice" : "crit"};
pid /run/nginx/nginx.pid;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 1000000;
  ${temporaryPaths("/run/nginx")}
  server {
    listen 80 backlog=4096;
    listen [::]:80 backlog=4096;
    location / { default_type text/plain; return 200 "${host.name}\\n"; }
  }
  ${more}
}
`;
}

/** nginx's master sets the groups of its workers, which a user namespace may forbid. */
function mayChangeGroups(): boolean {
  return readFileSync("/proc/self/setgroups", "utf8").trim() === "allow";
}

/** Lines of its `http` block: Debian's places for what does not fit into memory are not the lab's. */
export function temporaryPaths(folder: string): string {
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n  ");
}
