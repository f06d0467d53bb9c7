/** A `backend`, or the second half of a `listen`, becomes a pool and its checks. */

import type { Data, Draft } from "../draft.ts";
import { agentData, checkData, readProtocol } from "./checks.ts";
import { type Bag, countOf, type Line, timeMs } from "./lines.ts";
import {
  duration,
  numberOf,
  poolFromServers,
  readServers,
  type Server,
  type ServerFacts,
  serverText,
  tellServerOptions,
} from "./servers.ts";
import { timeoutOf } from "./timeouts.ts";
import { readSorry, type Pages } from "./sorry.ts";

export interface BackendFacts extends ServerFacts {
  readonly newSecret: () => string;
  readonly pages: Pages;
}

export function importBackend(name: string, bag: Bag, facts: BackendFacts): void {
  const { draft } = facts;
  const servers = readServers(bag, facts);
  tellServerOptions(bag, servers, facts);
  const protocol = readProtocol(bag, draft);
  const timeoutMs = timeMs(bag.last("timeout", "check")?.[0]);
  const checks = servers.map((server) => checkData(server, protocol, { timeoutMs, facts }));
  const agents = servers.map((server) => agentData(server, draft));
  const own = [checkNames(name, servers, checks, draft)];
  own.push(checkNames(`${name}-agent`, servers, agents, draft));
  const common = own.flatMap(({ pool }) => pool);
  const texts = servers.map((server, i) => {
    const names = own.flatMap(({ each }) => each[i]!);
    return serverText(server, names.join() === common.join() ? undefined : names);
  });
  tellBackups(servers, bag, draft);
  const cookie = cookieOf(bag, facts);
  const sticky = cookie ?? tableOf(bag, draft);
  draft.pools[name] = {
    servers: Object.fromEntries(servers.map((server, i) => [server.name, texts[i]])),
    check: common.length === 0 ? undefined : common.length === 1 ? common[0] : common,
    balance: balanceOf(bag, draft),
    sticky,
    retry: retryOf(bag, draft),
    queue: queueOf(bag, draft),
    timeouts: timeoutsOf(bag, draft),
    ...poolFromServers(servers, facts),
    ...connectionsOf(bag),
    sorry: readSorry(bag, facts.pages, draft),
  };
  if (cookie !== undefined) {
    draft.comment(`pools/${name}/sticky`, "The secret is new: take the same on all directors.");
  }
}

/** The first one is the pool's; servers that want another one have it by a name of their own. */
function checkNames(
  name: string,
  servers: readonly Server[],
  checks: readonly (Data | undefined)[],
  draft: Draft,
): { readonly pool: readonly string[]; readonly each: readonly (readonly string[])[] } {
  const common = checks.find((check) => check !== undefined);
  if (common !== undefined) draft.checks[name] = common;
  const each = checks.map((check, i) => {
    if (check === undefined) return [];
    if (JSON.stringify(check) === JSON.stringify(common)) return [name];
    const own = `${name}-${servers[i]!.name}`;
    draft.checks[own] = check;
    return [own];
  });
  return { pool: common === undefined ? [] : [name], each };
}

/** One backup after the other is what HAProxy does when nobody says something else. */
function tellBackups(servers: readonly Server[], bag: Bag, draft: Draft): void {
  const [, second] = servers.filter(({ options }) => options.has("backup"));
  if (second === undefined || bag.has("option", "allbackups")) return;
  draft.lost({ ...second.line.at, text: "backup" }, "all backups are used together");
}

/** `option http-server-close`: connections to servers are not kept. */
function connectionsOf(bag: Bag): Data {
  const closes = ["http-server-close", "httpclose", "forceclose"].some((name) =>
    bag.has("option", name),
  );
  // Anything else is what Nines does: nobody takes the line.
  const isNever =
    bag.lines.findLast(({ words }) => words[0] === "http-reuse")?.words[1] === "never";
  if (isNever) bag.all("http-reuse");
  return closes || isNever ? { max_idle_per_server: 0 } : {};
}

function timeoutsOf(bag: Bag, draft: Draft): Data {
  const ms = (name: string): string | undefined => timeoutOf(bag, name, draft);
  const server = ms("server");
  const timeouts = { connect: ms("connect"), response: server, idle: server, tunnel: ms("tunnel") };
  return timeouts;
}

function queueOf(bag: Bag, draft: Draft): Data {
  return { timeout: timeoutOf(bag, "queue", draft) };
}

function retryOf(bag: Bag, draft: Draft): Data {
  const line = bag.lastLine("retry-on");
  const words = line?.words.slice(1) ?? [];
  const named = words.includes("all-retryable-errors") ? ["500", "502", "503", "504"] : words;
  const statuses = named.filter((word) => /^[45]\d\d$/u.test(word)).map(Number);
  const own = ["conn-failure", "empty-response", "response-timeout", "all-retryable-errors"];
  for (const word of words) {
    if (own.includes(word) || statuses.includes(Number(word))) continue;
    if (word === "none") continue;
    draft.lost({ ...line!.at, text: `retry-on ${word}` }, "Nines tries again when that is safe");
  }
  const retries = numberOf(bag.last("retries")?.[0]);
  return {
    attempts: words.includes("none")
      ? 0
      : retries === undefined
        ? undefined
        : Math.min(10, retries),
    on_status: line === undefined ? undefined : statuses,
  };
}

const BALANCE: Readonly<Record<string, string>> = {
  first: "first",
  leastconn: "least-connections",
  roundrobin: "round-robin",
  source: "hash source",
  "static-rr": "round-robin",
  uri: "hash path",
};

function balanceOf(bag: Bag, draft: Draft): unknown {
  const line = bag.lastLine("balance");
  tellHashType(bag, draft);
  const [name = "roundrobin", ...words] = line?.words.slice(1) ?? [];
  const factor = numberOf(bag.last("hash-balance-factor")?.[0]);
  const text = algorithmOf(name, words);
  if (text === undefined) {
    draft.lost(line!.at, "Nines has no such algorithm: round-robin was taken");
    return "round-robin";
  }
  if (name === "uri" && words.length > 0 && words.join(" ") !== "whole") {
    draft.lost(line!.at, "the whole path is hashed");
  }
  const more = name === "url_param" ? words.slice(1) : name.startsWith("hdr(") ? words : [];
  if (more.length > 0)
    draft.lost({ ...line!.at, text: more.join(" ") }, "the whole value is hashed");
  if (factor === undefined || !text.startsWith("hash")) return text;
  const [algorithm, key] = text.split(" ");
  return { algorithm, key, bound: Math.max(101, factor) };
}

function algorithmOf(given: string, words: readonly string[]): string | undefined {
  const [, name = given, inner] = /^(\w+)\((.*)\)$/u.exec(given) ?? [];
  if (name === "uri" && words.includes("whole")) return "hash uri";
  if (name === "url_param") return `hash query:${words[0]}`;
  if (name === "hdr") return `hash header:${inner}`;
  if (name === "random") return inner === "1" ? "random" : "two-choices";
  if (name !== "hash") return Object.hasOwn(BALANCE, name) ? BALANCE[name] : undefined;
  const key = keyOf(words[0] ?? "");
  return key === undefined ? undefined : `hash ${key}`;
}

/** What a client is known by, as `sticky` and `balance` write it. */
function keyOf(fetch: string): string | undefined {
  if (fetch === "src") return "source";
  if (fetch === "path") return "path";
  if (fetch === "url" || fetch === "pathq") return "uri";
  const [, what, name] =
    /^(?:req\.)?(hdr|fhdr|cook|urlp|url_param|cookie)\(([^),]+)\)$/u.exec(fetch) ?? [];
  if (what === undefined) return undefined;
  const kind = what.startsWith("cook") ? "cookie" : what.startsWith("url") ? "query" : "header";
  return `${kind}:${name}`;
}

function tellHashType(bag: Bag, draft: Draft): void {
  const line = bag.lastLine("hash-type");
  if (line === undefined) return;
  const why = "hashing always is consistent, with a bound on the load of a server";
  if (line.words[1] === "consistent") draft.unneeded(line.at, why);
  else draft.lost(line.at, why);
}

const MODES: readonly string[] = ["insert", "prefix", "rewrite"];

function cookieOf(bag: Bag, { draft, newSecret }: BackendFacts): Data | undefined {
  const line = bag.lastLine("cookie");
  if (line === undefined) return undefined;
  const [name, ...words] = line.words.slice(1);
  const lost = (text: string, why: string): void => draft.lost({ ...line.at, text }, why);
  const cookie: Data = { name, mode: "insert", secret: newSecret() };
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (MODES.includes(word)) cookie["mode"] = word;
    else if (word === "maxidle") cookie["max_idle"] = duration(secondsMs(words[++i]));
    else if (word === "maxlife") cookie["max_age"] = duration(secondsMs(words[++i]));
    else if (word === "secure") cookie["secure"] = true;
    else if (word === "domain")
      lost(`domain ${words[++i]}`, "the cookie is for the host that was asked");
    else if (word === "attr") lost(`attr ${words[++i]}`, "see same_site and secure of the cookie");
    else if (!["indirect", "nocache", "httponly", "dynamic"].includes(word)) {
      lost(word, "cookies have no such option");
    }
  }
  draft.unneeded(
    line.at,
    "indirect, nocache and httponly hold always; the value is signed and shows no name",
  );
  return { cookie };
}

/** These two are seconds when they have no unit. */
function secondsMs(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/u.test(text) ? Number(text) * 1000 : timeMs(text);
}

function tableOf(bag: Bag, draft: Draft): Data | undefined {
  const line = bag.lastLine("stick", "on");
  if (line === undefined) return undefined;
  const table = bag.lastLine("stick-table");
  const [fetch = "", ...words] = line.words.slice(2);
  const key = keyOf(fetch);
  if (key === undefined) {
    draft.lost(line.at, "clients are known by source, header, cookie, query or path");
    return undefined;
  }
  if (words.length > 0)
    draft.lost(
      { ...line.at, text: words.join(" ") },
      "stickiness holds for all requests of a pool",
    );
  return { table: { key, ...tableData(table, draft) } };
}

function tableData(line: Line | undefined, draft: Draft): Data {
  const words = line?.words ?? [];
  const after = (name: string): string | undefined =>
    words.includes(name) ? words[words.indexOf(name) + 1] : undefined;
  if (line !== undefined) {
    for (const name of ["peers", "store"]) {
      const text = `${name} ${after(name) ?? ""}`;
      const why =
        name === "peers" ? "each director has a table of its own" : "tables count nothing";
      if (words.includes(name)) draft.lost({ ...line.at, text }, why);
    }
    if (words.includes("nopurge"))
      draft.lost({ ...line.at, text: "nopurge" }, "the oldest goes first");
  }
  return { size: countOf(after("size")), ttl: duration(timeMs(after("expire"))) };
}
