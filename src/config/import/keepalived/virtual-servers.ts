/** `virtual_server` blocks become checks, pools and frontends, where they carry HTTP. */

import type { Statement } from "../../keepalived/tree.ts";
import type { Model } from "../../model.ts";
import { durationText } from "../../service/schema/kinds.ts";
import type {
  CheckSettings,
  Frontend,
  RealServerSettings,
  Scheduler,
  VirtualServerSettings,
} from "../../virtual-server.ts";
import type { Data, Draft } from "../draft.ts";
import { checkData } from "./checks.ts";
import { lose } from "./keywords.ts";
import { accountFor } from "./server-keywords.ts";

/** `tree` and `model` are of the same file: the n-th block is the n-th virtual server. */
export function importVirtualServers(tree: readonly Statement[], model: Model, draft: Draft): void {
  const blocks = tree.filter(({ keyword }) => keyword.text === "virtual_server");
  const usedGroups = new Set<string>();
  for (const [index, block] of blocks.entries()) {
    const server = model.virtualServers[index];
    if (server === undefined) continue;
    const why = notHttp(server);
    if (why === undefined) {
      importServer(server, block, draft);
      if (block.args[0]?.text === "group") usedGroups.add(block.args[1]?.text ?? "");
    } else lose(block, why, draft);
  }
  for (const statement of tree) {
    const { keyword, args, block = [] } = statement;
    if (keyword.text === "SSL") {
      lose(statement, "checks show no certificate of their own; see tls of a check", draft);
    } else if (keyword.text === "virtual_server_group") {
      const isUsed = usedGroups.has(args[0]?.text ?? "");
      if (!isUsed) lose(statement, "no HTTP service uses it", draft);
      else tellMarks(block, draft);
    }
  }
}

function tellMarks(block: readonly Statement[], draft: Draft): void {
  for (const line of block) {
    if (line.keyword.text !== "fwmark") continue;
    lose(line, "a firewall mark is no address to listen on", draft);
  }
}

const HTTP_PORTS: readonly number[] = [80, 8000, 8008, 8080, 8888];

/** keepalived forwards packets; Nines balances requests. Undefined: these are requests. */
function notHttp(server: VirtualServerSettings): string | undefined {
  if (server.protocol !== "tcp") return `Nines balances HTTP, not ${server.protocol}`;
  const ports = server.frontends.flatMap((f) => (f.kind === "mark" ? [] : [f.port]));
  if (ports.length === 0) return "a firewall mark is no address to listen on";
  if (ports.includes(443)) {
    return "TLS goes through keepalived untouched; write a frontend with tls and its certificate";
  }
  const isAsked = server.realServers.some((real) => real.checks.some((c) => c.kind === "http"));
  if (isAsked || ports.every((port) => HTTP_PORTS.includes(port))) return undefined;
  return "nothing says that this is HTTP, and Nines balances nothing else";
}

/** Letters, digits, dots and dashes. */
function plainName(text: string): string {
  return text
    .replace(/^group /u, "")
    .replace(/[^\w.-]+/gu, "-")
    .replace(/^-+|-+$/gu, "");
}

function importServer(server: VirtualServerSettings, block: Statement, draft: Draft): void {
  const name = plainName(server.name);
  const reals = (block.block ?? []).filter(({ keyword }) => keyword.text === "real_server");
  accountFor(block, { kind: "virtual_server" }, draft);
  const checks = server.realServers.map((real, i) => {
    const check = chosenCheck(real);
    const kind = { kind: "real_server" as const, ...(check === undefined ? {} : { check }) };
    if (reals[i] !== undefined) accountFor(reals[i], kind, draft);
    return check === undefined ? undefined : checkData(check, real);
  });
  const common = checks.find((check) => check !== undefined);
  if (common !== undefined) draft.checks[name] = common;
  const servers = server.realServers.map((real, i) => {
    const check = checks[i];
    const isCommon = JSON.stringify(check) === JSON.stringify(common);
    const own = `${name}-${plainName(real.address)}-${real.port}`;
    if (check !== undefined && !isCommon) draft.checks[own] = check;
    return serverText(
      real,
      check === undefined && common !== undefined ? "off" : isCommon ? undefined : own,
    );
  });
  draft.pools[name] = {
    ...poolData(server, servers),
    check: common === undefined ? undefined : name,
  };
  draft.frontends[name] = { listen: server.frontends.flatMap(listenTexts), pool: name };
}

/** HTTP says most. FILE_CHECK and BFD_CHECK have no counterpart. */
function chosenCheck(real: RealServerSettings): CheckSettings | undefined {
  const known = real.checks.filter((check) => check.kind !== "file" && check.kind !== "bfd");
  return known.find((check) => check.kind === "http") ?? known[0];
}

function poolData(server: VirtualServerSettings, servers: readonly string[]): Data {
  const { sorryServer: sorry, persistence } = server;
  const last =
    sorry === undefined ? [] : [`${hostPort(sorry.address, sorry.port)} backup check=off`];
  const ttl = persistence === undefined ? "" : durationText(persistence.timeoutMs);
  return {
    servers: [...servers, ...last],
    balance: BALANCE[server.scheduler],
    sticky: persistence === undefined ? undefined : { table: { key: "source", ttl } },
    kill_on_down: server.realServers.some((real) => real.inhibitOnFailure) ? false : undefined,
  };
}

function hostPort(address: string, port: number): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

function serverText(real: RealServerSettings, check: string | undefined): string {
  const { address, port, weight, upperThreshold: most } = real;
  return [
    hostPort(address, port),
    ...(weight === 1 ? [] : [`weight=${Math.min(256, weight)}`]),
    ...(most === 0 ? [] : [`max=${most}`]),
    ...(check === undefined ? [] : [`check=${check}`]),
  ].join(" ");
}

const BALANCE: Readonly<Record<Scheduler, string>> = {
  rr: "round-robin",
  wrr: "round-robin",
  lc: "least-connections",
  wlc: "least-connections",
  sed: "least-connections",
  nq: "least-connections",
  twos: "two-choices",
  sh: "hash source",
  mh: "maglev source",
  dh: "hash source",
  lblc: "hash source",
  lblcr: "hash source",
  fo: "first",
  ovf: "first",
};

function listenTexts(frontend: Frontend): string[] {
  if (frontend.kind === "mark") return [];
  if (frontend.kind === "address") return [hostPort(frontend.address, frontend.port)];
  const { first, count, port } = frontend;
  const [, start = "", last = ""] = /^(.*[.:])([\da-f]+)$/iu.exec(first) ?? [];
  const radix = first.includes(":") ? 16 : 10;
  return Array.from({ length: count }, (_, i) => {
    return hostPort(`${start}${(Number.parseInt(last, radix) + i).toString(radix)}`, port);
  });
}
