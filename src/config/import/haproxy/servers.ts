/** `server` lines become servers of a pool, and what Nines says for the whole pool. */

import { durationText } from "../../service/schema/kinds.ts";
import type { Data, Draft } from "../draft.ts";
import { inside } from "./binds.ts";
import { type Bag, type Line, timeMs } from "./lines.ts";
import { type Option, Options, optionsOf } from "./options.ts";

export interface Server {
  readonly name: string;
  readonly address: string;
  readonly line: Line;
  readonly options: Options;
  readonly own: readonly Option[];
}

export interface ServerFacts {
  readonly draft: Draft;
  /** For servers without one. */
  readonly port: number | undefined;
  readonly caBase: string;
  readonly crtBase: string;
  /** Certificates of servers that do not say whether: `ssl-server-verify`. */
  readonly verifies: boolean;
}

export function readServers(bag: Bag, { draft, port }: ServerFacts): Server[] {
  const defaults = bag.all("default-server").flatMap((line) => optionsOf(line.words.slice(1)));
  const single = bag.all("server").map((line) => serverOf(line, line.words.slice(1), defaults));
  const templates = bag.all("server-template").map((line) => {
    const [prefix = "", count = "", ...rest] = line.words.slice(1);
    draft.lost(line.at, `one server that stands for all addresses of the name, not ${count}`);
    return serverOf(line, [prefix, ...rest], defaults);
  });
  return [...single, ...templates].map((server) => withPort(server, port, draft));
}

function serverOf(line: Line, words: readonly string[], defaults: readonly Option[]): Server {
  const [name = "", address = "", ...rest] = words;
  const own = optionsOf(rest);
  return { name, address, line, own, options: new Options([...defaults, ...own]) };
}

/** HAProxy takes the port that the client asked for; a pool has to be told. */
function withPort(server: Server, port: number | undefined, draft: Draft): Server {
  const text = server.address.replace(/^ipv[46]@/u, "").replace(/^unix@/u, "unix:");
  const address = text.startsWith("/") ? `unix:${text}` : text;
  if (address.startsWith("unix:")) return { ...server, address };
  const isBareV6 = /^[\da-f:]+$/iu.test(address) && address.split(":").length > 2;
  const [, host, digits] = /^(.*?)(?::(\d+|\$\{.*\}))?$/su.exec(address) ?? [];
  // `2001:db8::1:80`: HAProxy takes what stands after the last colon as the port.
  if (isBareV6) {
    const cut = address.lastIndexOf(":");
    return { ...server, address: `[${address.slice(0, cut)}]:${address.slice(cut + 1)}` };
  }
  if (digits !== undefined) return { ...server, address };
  const told = port ?? 80;
  draft.lost(server.line.at, `it has no port of its own: ${told} is used`);
  return { ...server, address: `${host}:${told}` };
}

const UNNEEDED: Readonly<Record<string, string>> = {
  cookie: "the server stands in a signed cookie; clients with an old one are spread anew",
  "hash-key": "servers are hashed by their names",
  id: "servers have names",
  "init-addr": "names are resolved again and again; a server is down until its name has an address",
  "pool-low-conn": "see max_idle_per_server",
  "pool-purge-delay": "see timeouts.keep_alive of the pool",
  "proxy-v2-options": "the header has the addresses",
  "resolve-net": "names are resolved by the system",
  "resolve-opts": "names are resolved by the system",
  "resolve-prefer": "names are resolved by the system",
  resolvers: "names are resolved by the system",
  stick: "stickiness holds for all servers of a pool",
  tfo: "it is about the speed of connecting",
};

const LOST: Readonly<Record<string, string>> = {
  alpn: "servers are spoken to in HTTP/1.1",
  ciphers: "TLS has the runtime's ciphers",
  ciphersuites: "TLS has the runtime's ciphers",
  "crl-file": "revocation lists are not read",
  maxqueue: "queue.limit is for the whole pool",
  minconn: "limits of servers do not grow with the load",
  "non-stick": "stickiness holds for all servers of a pool",
  observe: "see outlier of the pool",
  "on-error": "see outlier of the pool",
  "error-limit": "see outlier of the pool",
  "on-marked-up": "connections to backups end by themselves",
  proto: "servers are spoken to in HTTP/1.1",
  redir: "a server is no redirect: make a route",
  source: "connections to servers leave from the system's address",
  "ssl-max-ver": "TLS to servers has the runtime's versions",
  "ssl-min-ver": "TLS to servers has the runtime's versions",
  track: "give both servers the same check",
  usesrc: "servers see the balancer's address; X-Forwarded-For has the client's",
};

/** Read here or with the checks. */
const USED: readonly string[] = (
  "addr agent-addr agent-check agent-inter agent-port agent-send backup ca-file check check-send-proxy check-sni check-ssl crt disabled downinter enabled fall fastinter inter " +
  "maxconn on-marked-down pool-max-conn port rise send-proxy send-proxy-v2 slowstart sni ssl verify " +
  "verifyhost weight"
).split(" ");

/** `sni str(www.example)`: the same for all requests. */
const CONSTANT = /^str\((.*)\)$/u;

export function tellServerOptions(bag: Bag, servers: readonly Server[], facts: ServerFacts): void {
  const { draft } = facts;
  const lines = bag
    .all("default-server")
    .map((line) => ({ line, own: optionsOf(line.words.slice(1)) }));
  for (const { line, own } of [...lines, ...servers]) {
    for (const { name, value } of own) {
      const plain = name.startsWith("no-") ? name.slice(3) : name;
      if (name === "sni" && !CONSTANT.test(value)) {
        const next = "one name is asked for: write tls.server_name of the pool";
        draft.lost({ ...line.at, text: `${name} ${value}` }, next);
      }
      if (USED.includes(plain)) continue;
      const at = { ...line.at, text: `${name} ${value}`.trim() };
      const why = UNNEEDED[plain];
      if (why !== undefined) draft.unneeded(at, why);
      else draft.lost(at, LOST[plain] ?? "servers have no such option");
    }
  }
  for (const server of servers) {
    if (server.options.has("check-send-proxy")) tellHeaderOfChecks(server, draft);
    tellNameOfCertificate(server, facts);
  }
}

/** HAProxy minds the name in a certificate only where it is told one. */
function tellNameOfCertificate({ address, line, options }: Server, facts: ServerFacts): void {
  const isTls = options.has("ssl") || options.has("check-ssl");
  const isNamed = ["sni", "verifyhost", "check-sni"].some((name) => options.has(name));
  if (!isTls || isNamed || !isVerified(options, facts)) return;
  const host = address.replace(/:[^:]*$/u, "");
  const why = `Nines minds its name, too: write tls.server_name if it is not for ${host}`;
  facts.draft.lost({ ...line.at, text: "a certificate of any name" }, why);
}

function tellHeaderOfChecks(
  { line, options }: Pick<Server, "line" | "options">,
  draft: Draft,
): void {
  const at = { ...line.at, text: "check-send-proxy" };
  const hasHeader = options.has("send-proxy") || options.has("send-proxy-v2");
  const isElsewhere = options.has("port") || options.has("addr");
  if (hasHeader && !isElsewhere) draft.unneeded(at, "checks begin as connections of the pool do");
  else
    draft.lost(
      at,
      "a check begins with a PROXY header where requests do: send_proxy, and no port or addr of its own",
    );
}

/** `10.0.0.1:80 weight=2 max=100 backup`. */
export function serverText(server: Server, checks: readonly string[] | undefined): string {
  const { address, options } = server;
  const weight = options.value("weight");
  const most = options.value("maxconn");
  return [
    address,
    ...(weight === undefined || weight === "1" ? [] : [`weight=${weight}`]),
    ...(most === undefined || most === "0" ? [] : [`max=${most}`]),
    ...(options.has("backup") ? ["backup"] : []),
    ...(options.has("disabled") ? ["admin=maint"] : []),
    ...(checks === undefined ? [] : [`check=${checks.length === 0 ? "off" : checks.join(",")}`]),
  ].join(" ");
}

/** What Nines says for the pool; a server that wants something else is told. */
export function poolFromServers(servers: readonly Server[], facts: ServerFacts): Data {
  const common = (what: string, of: (options: Options) => unknown): unknown => {
    const [first, ...others] = servers.map((server) => JSON.stringify(of(server.options)) ?? "");
    for (const [index, other] of others.entries()) {
      if (other === first) continue;
      const { at } = servers[index + 1]!.line;
      facts.draft.lost(at, `${what} is the pool's: that of ${servers[0]!.name} counts`);
    }
    return servers[0] === undefined ? undefined : of(servers[0].options);
  };
  const down = common("on-marked-down", (options) => options.value("on-marked-down"));
  return {
    tls: common("tls", (options) => tlsOf(options, facts)),
    send_proxy: common("send_proxy", (options) =>
      options.has("send-proxy-v2") ? "v2" : options.has("send-proxy") ? "v1" : undefined,
    ),
    slow_start: common("slow_start", (options) => duration(timeMs(options.value("slowstart")))),
    kill_on_down: down === "shutdown-sessions" ? true : undefined,
    max_idle_per_server: common("pool-max-conn", (options) =>
      numberOf(options.value("pool-max-conn")),
    ),
  };
}

export function duration(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : durationText(ms);
}

export function numberOf(text: string | undefined): number | undefined {
  const number = Number(text);
  return text === undefined || !Number.isInteger(number) || number < 0 ? undefined : number;
}

export function isVerified(options: Options, { verifies }: Pick<ServerFacts, "verifies">): boolean {
  return (options.value("verify") ?? (verifies ? "required" : "none")) !== "none";
}

function tlsOf(options: Options, facts: ServerFacts): Data | undefined {
  if (!options.has("ssl")) return undefined;
  const { caBase, crtBase } = facts;
  const ca = options.value("ca-file");
  const crt = options.value("crt");
  const certificate = crt === undefined ? undefined : inside(crtBase, crt);
  return {
    verify: isVerified(options, facts) ? undefined : false,
    ca: ca === undefined || ca.startsWith("@") ? undefined : inside(caBase, ca),
    server_name: options.value("verifyhost") ?? CONSTANT.exec(options.value("sni") ?? "")?.[1],
    certificate,
    key: certificate,
  };
}
