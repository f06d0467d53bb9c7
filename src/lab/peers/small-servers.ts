/**
 * Debian's small servers inside a host, each in the foreground, with nothing kept on disk outside
 * of the host's own `/run`. Each resolves when it takes connections, and throws MissingTool.
 */
import type { Host } from "../host.ts";
import { untilListening } from "../listening.ts";
import type { LabProcess } from "../process.ts";
import { waitFor } from "../wait.ts";

async function startOn(host: Host, port: number, argv: readonly string[]): Promise<LabProcess> {
  const daemon = await host.start(argv, { name: `${argv[0]}-${port}` });
  await untilListening(daemon, port);
  return daemon;
}

export interface RedisOptions {
  /** 6379 by default. */
  readonly port?: number;
  readonly password?: string;
  /** Of the primary: `10.0.0.1 6379`. */
  readonly replicaOf?: string;
  /** As the host sees it, besides the port. */
  readonly socket?: string;
}

export function startRedis(host: Host, options: RedisOptions = {}): Promise<LabProcess> {
  const { port = 6379, password, replicaOf, socket } = options;
  const directory = `/run/redis-${port}`;
  host.write(`${directory}/note`, "");
  const base = ["--port", `${port}`, "--bind", "0.0.0.0", "--protected-mode", "no"];
  const disk = ["--dir", directory, "--save", "", "--appendonly", "no"];
  const secret =
    password === undefined ? [] : ["--requirepass", password, "--masterauth", password];
  const follow = replicaOf === undefined ? [] : ["--replicaof", ...replicaOf.split(" ")];
  const unix = socket === undefined ? [] : ["--unixsocket", socket];
  // A primary that is silent for that long is noticed in a test.
  const often = ["--repl-ping-replica-period", "1", "--repl-diskless-sync-delay", "0"];
  const argv = ["redis-server", ...base, ...disk, ...secret, ...follow, ...unix, ...often];
  return startOn(host, port, argv);
}

export function startMemcached(host: Host, port = 11211): Promise<LabProcess> {
  return startOn(host, port, ["memcached", "-u", "root", "-l", "0.0.0.0", "-p", `${port}`]);
}

/** A mail server that hands each mail to `command` - no shell -, by default to nothing of use. */
export function startMailServer(host: Host, port = 25, command = "cat"): Promise<LabProcess> {
  const where = ["--interface=0.0.0.0", `--port=${port}`];
  return startOn(host, port, ["msmtpd", ...where, `--command=${command}`]);
}

/** Knows one name and its address, and no other. */
export function startNameServer(host: Host, name: string, address: string): Promise<LabProcess> {
  const alone = ["--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file="];
  const user = ["--user=root", "--group=root"];
  const words = [...alone, ...user, `--host-record=${name},${address}`, "--local=/#/"];
  return startOn(host, 53, ["dnsmasq", "--keep-in-foreground", ...words]);
}

/** One member, which speaks grpc.health.v1 on its port 2379, and over TLS on 2381. */
export function startEtcd(
  host: Host,
  { certificate, key }: { readonly certificate: string; readonly key: string },
): Promise<LabProcess> {
  const peers = "http://127.0.0.1:2380";
  const words = {
    "data-dir": "/run/etcd",
    "cert-file": certificate,
    "key-file": key,
    "listen-client-urls": "http://0.0.0.0:2379,https://0.0.0.0:2381",
    "advertise-client-urls": "http://127.0.0.1:2379",
    "listen-peer-urls": peers,
    "initial-advertise-peer-urls": peers,
    "initial-cluster": `default=${peers}`,
  };
  const argv = Object.entries(words).flatMap(([key, value]) => [`--${key}`, value]);
  return startOn(host, 2379, ["etcd", ...argv]);
}

/** Says what stands in `file` (as the host sees it) to whoever connects: how agents are served. */
export function startAgent(host: Host, port: number, file: string): Promise<LabProcess> {
  const listen = `TCP-LISTEN:${port},fork,reuseaddr`;
  return startOn(host, port, ["socat", listen, `OPEN:${file},rdonly`]);
}

/** HAProxy that answers by itself. */
export async function startHaproxy(host: Host, port: number, body: string): Promise<LabProcess> {
  const text = `
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend web
  bind :${port}
  http-request return status 200 content-type text/plain string "${body}"
`;
  const file = host.write("/run/haproxy/haproxy.cfg", text);
  return startOn(host, port, ["haproxy", "-db", "-f", file]);
}

/** A key and a certificate for `name` (its own authority), valid for `days`. Paths in the host. */
export async function makeCertificate(
  host: Host,
  name: string,
  days: number,
): Promise<{ readonly certificate: string; readonly key: string }> {
  const base = `/run/tls/${name}-${days}`;
  host.write(`${base}.note`, "");
  const [certificate, key] = [`${base}.pem`, `${base}.key`];
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  const files = ["-keyout", key, "-out", certificate, "-days", `${days}`];
  await host.run(["openssl", "req", "-x509", ...made, ...names, ...files]);
  await waitFor(() => host.read(certificate) !== "", 2000, certificate);
  return { certificate, key };
}
