/** Walks the way of a request without sending it: the same rules, each with its reason. */

import { utf8Bytes } from "../../lib/text-bytes.ts";
import { hashText } from "../balance/hash.ts";
import type { ExplainedPick } from "../balance/pick-explanation.ts";
import type { HashKey } from "../balance/pool-settings.ts";
import type { Pool } from "../balance/pool.ts";
import { refusal } from "../http/refusals.ts";
import { RequestHead } from "../http/request-head.ts";
import { RequestFacts } from "../route/request-facts.ts";
import type { RateLimit, RouteSettings } from "../route/route-settings.ts";
import { boundByTable, boundServer, type Bound, hashOf } from "./binding.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Frontend } from "./frontend.ts";
import { bodyRefusal, ownPath, poolOf } from "./intake.ts";
import { keyOf, type TcpDispatcher } from "./tcp-dispatcher.ts";
import type { AskedRequest, RequestExplanation } from "./request-explanation.ts";

interface Place {
  readonly frontends: ReadonlyMap<string, Frontend>;
  readonly pools: ReadonlyMap<string, Dispatcher>;
  /** Pools of TCP connections. */
  readonly carried: ReadonlyMap<string, TcpDispatcher>;
  readonly now: number;
  readonly wallMs: number;
}

export function explainRequest(place: Place, asked: AskedRequest): RequestExplanation {
  const url = /^(https?):\/\/(\[[^\]]*\]|[^/:?#]*)(?::(\d*))?([^#]*)/i.exec(asked.url);
  const nothing = { frontend: "", route: "", pool: "", server: "" };
  if (url === null) {
    return { ...nothing, lines: [`${asked.url}: not a URL such as http://www.example.com/path`] };
  }
  const [, scheme = "http", host = "", written = "", rest = ""] = url;
  // `http://host:/` is the scheme's port, too (RFC 3986 3.2.3).
  const portText = written === "" ? undefined : written;
  const isTls = scheme.toLowerCase() === "https";
  const port = portText === undefined ? (isTls ? 443 : 80) : Number(portText);
  const frontend = frontendOf(place, asked, { port, isTold: portText !== undefined });
  if (frontend === undefined) {
    const known = [...place.frontends.keys()].join(", ") || "none";
    const wanted = asked.frontend ?? `port ${port}`;
    return {
      ...nothing,
      lines: [`no frontend for ${wanted}; there are: ${known}; choose one with --frontend`],
    };
  }
  if (frontend.settings.mode === "tcp") return carried(place, frontend, asked.source);
  const target = rest.startsWith("/") ? rest : `/${rest}`;
  const authority = portText === undefined ? host : `${host}:${portText}`;
  const head = new RequestHead();
  const refused = parse(head, asked, { target, authority, frontend });
  if (refused !== undefined) {
    return { ...nothing, frontend: frontend.name, lines: [`refused: ${refused}`] };
  }
  const facts = new RequestFacts(head);
  facts.sender = asked.source;
  facts.scheme = isTls ? "https" : "http";
  facts.localPort = port;
  facts.source = frontend.forwarding.clientOf(facts);
  return walk(place, frontend, facts);
}

/** Nothing of the request is looked at. */
function carried(place: Place, { settings }: Frontend, source: string): RequestExplanation {
  const pool = settings.defaultPool ?? "";
  const servers = place.carried.get(pool)!;
  const { algorithm } = servers.settings;
  const hash = "key" in algorithm ? hashText(keyOf(algorithm.key, source)) : 0;
  const { stickiness } = servers.settings;
  const bound =
    stickiness.kind === "table"
      ? boundByTable(servers.pool, keyOf(stickiness.key, source), place.now)
      : undefined;
  const asked = { now: place.now, hash, key: `the client's address ${source}` };
  const { server, lines: picked } = pickLines(servers.pool, asked, bound);
  const lines = [
    `frontend ${settings.name}: TCP, carried as it comes; client ${source || "unknown"}`,
    `pool ${pool}: of the frontend`,
    ...picked,
  ];
  return { frontend: settings.name, route: "", pool, server, lines };
}

function walk(place: Place, frontend: Frontend, facts: RequestFacts): RequestExplanation {
  const lines = [`frontend ${frontend.name}: client ${facts.source || "unknown"}`];
  const isSealed = frontend.settings.tls !== undefined;
  if (isSealed && facts.scheme === "http") lines.push("it speaks TLS: clients ask for https://");
  if (!isSealed && facts.scheme === "https")
    lines.push("it has no tls: whoever asks for https:// must be served by something before it");
  const own = ownPath(frontend.settings, facts.head);
  if (own !== undefined) {
    const what = `answered here: it is the frontend's ${own}_path`;
    return { frontend: frontend.name, route: "", pool: "", server: "", lines: [...lines, what] };
  }
  const tooLarge = bodyRefusal(frontend.settings, facts.head);
  if (tooLarge !== undefined) {
    lines.push(`refused: ${tooLarge.text}`);
    return { frontend: frontend.name, route: "", pool: "", server: "", lines };
  }
  for (const { route, matched, reason } of frontend.explain(facts)) {
    // Routes without a name are called `route 7` already.
    const name = /^route \d+$/.test(route) ? route : `route ${route}`;
    lines.push(matched ? `${name}: ${reason}` : `${name}: ${reason}, next`);
  }
  const route = frontend.match(facts);
  if (typeof route === "number") {
    lines.push(`refused: too long for the pattern of a route: ${route}`);
    return { frontend: frontend.name, route: "", pool: "", server: "", lines };
  }
  if (route !== undefined) lines.push(...chances(route.settings));
  const known = { frontend: frontend.name, route: route?.settings.name ?? "" };
  const { target } = route?.settings ?? {};
  if (target !== undefined && target.kind !== "pools") {
    const what =
      target.kind === "redirect"
        ? `redirected (${target.status}) to ${route!.location(facts)}`
        : `answered here with ${target.status}`;
    return { ...known, lines: [...lines, what], pool: "", server: "" };
  }
  const pool = poolOf(frontend, route, facts.source);
  const dispatcher = pool === undefined ? undefined : place.pools.get(pool);
  if (pool === undefined || dispatcher === undefined) {
    lines.push("no route takes it and there is no default pool: 404");
    return { ...known, lines, pool: "", server: "" };
  }
  const canary = target !== undefined && target.pools.length > 1;
  const why = canary ? "by weight and the client's address" : route ? "of the route" : "by default";
  lines.push(`pool ${pool}: ${why}`);
  const { algorithm } = dispatcher.settings;
  const isHash = algorithm.kind === "hash" || algorithm.kind === "maglev";
  const hash = isHash ? hashOf(algorithm.key, facts) : hashText(facts.source);
  const key = isHash ? keyName(algorithm.key, facts) : "";
  const bound = boundServer(dispatcher.pool, facts, place);
  const { server, lines: picked } = pickLines(
    dispatcher.pool,
    { now: place.now, hash, key },
    bound,
  );
  lines.push(...picked);
  return { ...known, lines, pool, server };
}

/** What a request may meet besides, whoever it comes from. */
function chances({ rateLimit, fault, target }: RouteSettings): string[] {
  const lines = [];
  if (rateLimit !== undefined) {
    const { per, perSecond, burst } = rateLimit;
    const whose = wordsOf(per);
    lines.push(`rate limit: ${burst} at once, then ${perSecond} a second per ${whose}; else 429`);
  }
  if (target.kind !== "pools") return lines;
  const { abort, delay } = fault ?? {};
  if (abort !== undefined) lines.push(`fault: ${abort.percent} % are answered ${abort.status}`);
  if (delay !== undefined) lines.push(`fault: ${delay.percent} % wait ${delay.ms} ms first`);
  return lines;
}

function wordsOf(per: RateLimit["per"]): string {
  if (typeof per === "string") return per;
  return "prefix" in per ? `network of the source (/${per.prefix})` : `header ${per.header}`;
}

/** What binds the client, what the pool goes by unless that decides alone, and the server. */
function pickLines(
  pool: Pool,
  asked: ExplainedPick,
  bound: Bound | undefined,
): { readonly server: string; readonly lines: readonly string[] } {
  const pick = pool.pick(asked.now, { hash: asked.hash, sticky: bound?.server, tried: [] });
  const server = pick.server?.name ?? "";
  const lines = [
    ...(bound === undefined ? [] : [bound.text]),
    ...(pick.why === "sticky" ? [] : pool.explain(asked)),
    server === "" ? `no server: ${pick.reason}` : `server ${server}: ${pick.reason}`,
  ];
  return { server, lines };
}

/** `header X-User "user0"`. */
function keyName(key: HashKey, facts: RequestFacts): string {
  if (key.of === "source") return `the client's address ${facts.source}`;
  if (key.of === "uri") return key.withQuery ? `the URI ${facts.uri}` : "the path";
  const { name } = key;
  const known = {
    header: () => facts.head.text(name.toLowerCase()),
    cookie: () => facts.cookies.get(name)?.[0],
    query: () => facts.query.get(name)?.[0],
  };
  const value = known[key.of]();
  if (value !== undefined) return `${key.of} ${name} ${JSON.stringify(value.slice(0, 64))}`;
  return `the client's address ${facts.source}, as there is no ${key.of} ${name}`;
}

function frontendOf(
  { frontends }: Place,
  asked: AskedRequest,
  { port, isTold }: { readonly port: number; readonly isTold: boolean },
): Frontend | undefined {
  if (asked.frontend !== undefined) return frontends.get(asked.frontend);
  const all = [...frontends.values()];
  const listens = ({ settings }: Frontend): boolean =>
    settings.binds.some((bind) => bind.kind === "ip" && bind.port === port);
  // Without a port: whoever stands in front may have brought it to another one.
  return all.find(listens) ?? (all.length === 1 && !isTold ? all[0] : undefined);
}

/** Undefined: good. */
function parse(
  head: RequestHead,
  asked: AskedRequest,
  { target, authority, frontend }: { target: string; authority: string; frontend: Frontend },
): string | undefined {
  const fields = asked.headers.map(([name, value]) => `${name}: ${value}\r\n`);
  const hasHost = asked.headers.some(([name]) => name.toLowerCase() === "host");
  const host = hasHost ? "" : `host: ${authority}\r\n`;
  const bytes = utf8Bytes(`${asked.method} ${target} HTTP/1.1\r\n${host}${fields.join("")}\r\n`);
  head.clear();
  const after = head.parse(bytes, 0, bytes.length, frontend.headLimits);
  if (after > 0) return undefined;
  return head.refused === undefined ? "the head is not complete" : refusal(head.refused).text;
}
