/** A `frontend`, or the first half of a `listen`, becomes one frontend, or more when its binds differ. */

import type { Data, Draft } from "../draft.ts";
import { ALWAYS } from "../conditions.ts";
import { compileRules, routesData, type Rule } from "../routes.ts";
import { type BindDefaults, type Binds, namedBinds, readBinds } from "./binds.ts";
import type { Bag, Line } from "./lines.ts";
import type { AclContext } from "./acls.ts";
import { type RuleFacts, rulesOf } from "./rules.ts";
import { numberOf } from "./servers.ts";
import { timeoutOf } from "./timeouts.ts";

export interface FrontendFacts {
  readonly draft: Draft;
  readonly bindDefaults: BindDefaults;
  /** `maxconn` of `global`. */
  readonly maxconn: number | undefined;
  /** Existing HTTP backends, `listen` included. */
  readonly pools: readonly string[];
  /** Rules of a backend as seen from this side. */
  readonly backendRules: (pool: string, facts: RuleFacts) => readonly Rule[];
  readonly readMap: (path: string) => string | undefined;
  readonly seen: Pick<RuleFacts, "made" | "reached" | "tables" | "taken">;
}

/** False: nothing leads from here to a pool or an answer. */
export function importFrontend(
  name: string,
  bag: Bag,
  facts: FrontendFacts,
  ownPool: string | undefined,
): boolean {
  const { draft } = facts;
  const all = readBinds(bag.all("bind"), facts.bindDefaults, draft);
  const common = commonData(bag, facts);
  let isUsed = false;
  for (const [own, binds] of namedBinds(name, all)) {
    const routes = routesOf(bag, { facts, binds, ownPool });
    if (routes.length === 0) continue;
    isUsed = true;
    const trust = binds.acceptProxy ? { accept_proxy: ["0.0.0.0/0", "::/0"] } : {};
    const { forwarded, ...rest } = common;
    const listen = { listen: binds.listen, tls: binds.tls };
    draft.frontends[own] = { ...listen, ...trust, forwarded, ...routesData(routes), ...rest };
    if (binds.acceptProxy) {
      draft.comment(
        `frontends/${own}/accept_proxy`,
        "Better only the addresses of what stands in front.",
      );
    }
    for (const [index, route] of routes.entries()) {
      if (route.origin !== "") draft.comment(`frontends/${own}/routes/${index}`, route.origin);
    }
  }
  return isUsed;
}

interface Side {
  readonly facts: FrontendFacts;
  readonly binds: Binds;
  readonly ownPool: string | undefined;
}

function routesOf(bag: Bag, { facts, binds, ownPool }: Side) {
  const { draft, pools, readMap, seen } = facts;
  const used = new Set<string>();
  const { isTls, ports } = binds;
  const acls = aclsOf(bag);
  const certificates = certificatesOf(binds);
  const context = { acls, used, tls: isTls, certificates, ports, readFile: readMap };
  const ruleFacts: RuleFacts = { draft, context, pools, ...seen };
  const rules = [...rulesOf(bag, ruleFacts)];
  if (ownPool !== undefined) {
    const lose = (why: string): void => draft.lost(bag.lines[0]!.at, why);
    rules.push({ when: [ALWAYS], target: { pool: ownPool }, origin: "", lose });
  }
  const routes = compileRules(rules, (pool) =>
    pool === ownPool ? [] : facts.backendRules(pool, ruleFacts),
  );
  takeAcls(bag, used);
  return routes;
}

function certificatesOf({ tls }: Binds): AclContext["certificates"] {
  if (tls?.["client_ca"] === undefined) return "none";
  return tls["client_certificate"] === "optional" ? "some" : "all";
}

export function aclsOf(bag: Bag): ReadonlyMap<string, readonly Line[]> {
  const acls = new Map<string, Line[]>();
  for (const line of bag.lines) {
    const [keyword, name = ""] = line.words;
    if (keyword === "acl") acls.set(name, [...(acls.get(name) ?? []), line]);
  }
  return acls;
}

/** Those that no rule asked stay: they are told in the end. */
export function takeAcls(bag: Bag, used: ReadonlySet<string>): void {
  for (const name of used) bag.all("acl", name);
}

function commonData(bag: Bag, { draft, maxconn }: FrontendFacts): Data {
  const ms = (name: string): string | undefined => timeoutOf(bag, name, draft);
  const [client, request, keepAlive] = [ms("client"), ms("http-request"), ms("http-keep-alive")];
  const own = numberOf(bag.last("maxconn")?.[0]) ?? maxconn;
  const connections = own === undefined ? undefined : Math.max(1, own);
  const closes = bag.has("option", "httpclose") || bag.has("option", "forceclose");
  const limits = { connections, requests_per_connection: closes ? 1 : undefined };
  return {
    ...forwardedOf(bag, draft),
    timeouts: {
      head: request ?? client,
      body: client,
      keep_alive: keepAlive ?? request ?? client,
      handshake: ms("client-hs"),
    },
    limits: Object.values(limits).some((value) => value !== undefined) ? limits : undefined,
    access_log: accessLog(bag),
    request_id: bag.last("unique-id-header")?.[0],
    health_path: bag.last("monitor-uri")?.[0],
  };
}

function accessLog(bag: Bag): string | undefined {
  const http = bag.last("option", "httplog");
  if (http === undefined) return undefined;
  return http[0] === "clf" ? "combined" : "json";
}

function forwardedOf(bag: Bag, draft: Draft): Data {
  const line = bag.lastLine("option", "forwardfor");
  const standard = bag.has("option", "forwarded");
  if (line === undefined) return standard ? { forwarded: "forwarded" } : {};
  const words = line.words.slice(2);
  const after = (name: string): string | undefined =>
    words.includes(name) ? words[words.indexOf(name) + 1] : undefined;
  const header = after("header");
  if (header !== undefined && header.toLowerCase() !== "x-forwarded-for") {
    const next = `write request_headers: { set: { ${header}: \${source} } }`;
    draft.lost({ ...line.at, text: `header ${header}` }, next);
  }
  if (words.includes("if-none")) {
    draft.lost(
      { ...line.at, text: "if-none" },
      "what clients send is replaced; see trusted_proxies",
    );
  }
  const except = after("except");
  const asksSource = bag.lines.some(({ words }) => words.some((word) => /\bsrc\b/u.test(word)));
  if (except !== undefined && asksSource) {
    const why = "src is the client that these proxies name, not the proxy as in HAProxy";
    draft.lost({ ...line.at, text: `except ${except}` }, why);
  }
  return {
    forwarded: standard ? "both" : "x-forwarded",
    ...(except === undefined ? {} : { trusted_proxies: [except] }),
  };
}
