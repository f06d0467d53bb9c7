/** `check` of servers with `option httpchk` and the like. Source: configuration manual, section 5. */

import type { Data, Draft } from "../draft.ts";
import { type Bag, type Line, timeMs } from "./lines.ts";
import { duration, isVerified, numberOf, type Server, type ServerFacts } from "./servers.ts";
import { ecmascript, literal } from "../expressions.ts";
import { inside } from "./binds.ts";

interface Protocol {
  readonly http?: Data;
  readonly other?: Data;
  /** `http-check connect port 81 ssl`. */
  readonly port?: number;
  readonly tls?: boolean;
}

/** Of `option`: how servers are asked. */
const TYPES =
  /^(?:httpchk|ssl-hello-chk|(?:external|ldap|mysql|pgsql|redis|spop|tcp)-check|smtpchk)$/u;

const METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"];

export function readProtocol(bag: Bag, draft: Draft): Protocol {
  // The last that is named counts.
  const type = bag.lines.findLast(
    ({ words }) => words[0] === "option" && TYPES.test(words[1] ?? ""),
  );
  const isIt = (name: string): boolean => type?.words[1] === name && bag.has("option", name);
  const httpchk = isIt("httpchk") ? bag.lastLine("option", "httpchk") : undefined;
  const lines = bag.allOwn("http-check");
  if (httpchk !== undefined) return httpProtocol(httpchk, lines, draft);
  for (const line of lines) draft.unneeded(line.at, "without option httpchk it does nothing");
  const told = (name: string): readonly string[] | undefined =>
    isIt(name) ? bag.last("option", name) : undefined;
  const smtp = told("smtpchk");
  if (smtp !== undefined)
    return { other: { smtp: smtp[1] === undefined ? true : { hello: smtp[1] } } };
  const mysql = told("mysql-check");
  if (mysql !== undefined) {
    return { other: { mysql: mysql[0] === "user" ? { user: mysql[1] } : true } };
  }
  const pgsql = told("pgsql-check");
  if (pgsql !== undefined) return { other: { postgresql: { user: pgsql[1] } } };
  if (isIt("redis-check")) return { other: { redis: true } };
  if (isIt("ssl-hello-chk")) return { other: { tcp: true }, tls: true };
  return { other: isIt("tcp-check") ? tcpCheck(bag, draft) : { tcp: true } };
}

function tcpCheck(bag: Bag, draft: Draft): Data {
  const lines = bag.allOwn("tcp-check");
  const redis = redisDialogue(lines);
  const memcached = isMemcachedDialogue(lines);
  for (const line of lines) {
    if (line.words[1] === "comment") draft.unneeded(line.at, "it does nothing");
    else if (isPlainConnect(line)) draft.unneeded(line.at, "a check connects");
    else if (memcached)
      draft.unneeded(line.at, "the memcached check says and wants this by itself");
    else if (redis === undefined) {
      draft.lost(line.at, "the check only connects; see redis, mysql, smtp … of checks");
    } else if (!SAYS_MORE.test(line.words.at(-1)!)) {
      draft.unneeded(line.at, "the redis check says and wants this by itself");
    }
  }
  if (memcached) return { memcached: true };
  return redis === undefined ? { tcp: true } : { redis };
}

const MEMCACHED_SENDS = /^(?:version|quit)$/iu;
const MEMCACHED_EXPECTS = /^\^?VERSION ?$/u;

/** It is asked for its version, and that it answers with one is all that is wanted. */
function isMemcachedDialogue(lines: readonly Line[]): boolean {
  const said = lines.filter((line) => line.words[1] !== "comment" && !isPlainConnect(line));
  const isKnown = said.every(({ words: [, action, ...words] }) => {
    const [kind, text = ""] = words;
    if (action === "send") return words.length === 1 && MEMCACHED_SENDS.test(kind!.trim());
    const isText = action === "expect" && (kind === "string" || kind === "rstring");
    return isText && words.length === 2 && MEMCACHED_EXPECTS.test(text);
  });
  return isKnown && said.some(({ words }) => words[1] === "expect");
}

const REDIS_SENDS = /^(?:PING|QUIT|ROLE|INFO(?: REPLICATION)?|AUTH \S+(?: \S+)?)$/iu;
const REDIS_EXPECTS = /^(?:\+?PONG|\+?OK|role:(?:master|slave))$/u;
const SAYS_MORE = /^(?:AUTH |role:)/iu;

/** What HAProxy's users write to find Redis' primary is our redis check. Undefined: it is something else. */
function redisDialogue(lines: readonly Line[]): Data | true | undefined {
  const told: Record<string, string> = {};
  let isRedis = false;
  for (const line of lines) {
    const [, action = "", ...words] = line.words;
    if (action === "comment" || isPlainConnect(line)) continue;
    const text = (
      action === "expect" && words[0] === "string" ? (words[1] ?? "") : (words[0] ?? "")
    ).trim();
    const isKnown =
      action === "send" && words.length === 1
        ? REDIS_SENDS.test(text)
        : action === "expect" && words.length === 2 && REDIS_EXPECTS.test(text);
    if (!isKnown) return undefined;
    const [command, ...args] = text.split(" ");
    if (command!.toUpperCase() === "AUTH") {
      told["password"] = args.at(-1)!;
      if (args.length === 2) told["user"] = args[0]!;
    }
    if (text === "role:master") told["role"] = "primary";
    if (text === "role:slave") told["role"] = "replica";
    isRedis ||= /^(?:PING|\+?PONG|role:\w+)$/iu.test(text);
  }
  if (!isRedis) return undefined;
  return Object.keys(told).length === 0 ? true : told;
}

function isPlainConnect({ words }: Line): boolean {
  return words[1] === "connect" && words.length === 2;
}

function httpProtocol(option: Line, lines: readonly Line[], draft: Draft): Protocol {
  const [first, second, version = ""] = option.words.slice(2);
  const isPath = first !== undefined && second === undefined && !METHODS.includes(first);
  const http: Data = {
    method: isPath || first === undefined ? "OPTIONS" : first,
    path: isPath ? first : (second ?? "/"),
  };
  // `HTTP/1.1\r\nHost:\ www` was the way before http-check send.
  const headers: Record<string, string> = {};
  for (const text of version.split("\r\n").slice(1)) {
    const [name = "", ...value] = text.split(":");
    if (text !== "") setHeader(http, headers, name, value.join(":").trim());
  }
  const protocol: { -readonly [K in keyof Protocol]: Protocol[K] } = { http };
  for (const line of lines) {
    const [action = "", ...words] = line.words.slice(1);
    if (action === "send") readSend(words, { http, headers, line, draft });
    else if (action === "expect") {
      readExpect(words, { http, headers, line, draft });
    } else if (action === "connect") readConnect(words, line, { protocol, draft });
    else draft.lost(line.at, "a check asks once and has no such step");
  }
  // With rules of its own, HAProxy minds the status only where they speak of it.
  const isOfStatus = lines.some(({ words }) => words.some((word) => /^r?status$/u.test(word)));
  if (!isOfStatus && ofBody(http) !== undefined) http["status"] = "100-599";
  if (Object.keys(headers).length > 0) http["headers"] = headers;
  return protocol;
}

interface HttpReading {
  readonly http: Data;
  readonly headers: Record<string, string>;
  readonly line: Line;
  readonly draft: Draft;
}

function setHeader(http: Data, headers: Record<string, string>, name: string, value: string): void {
  if (name.toLowerCase() === "host") http["host"] = value.replace(/:\d+$/u, "");
  else headers[name] = value;
}

function readSend(words: readonly string[], { http, headers, line, draft }: HttpReading): void {
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "meth") http["method"] = words[++i];
    else if (word === "uri") http["path"] = words[++i];
    else if (word === "ver") i++;
    else if (word === "hdr") {
      setHeader(http, headers, words[i + 1] ?? "", words[i + 2] ?? "");
      i += 2;
    } else {
      draft.lost({ ...line.at, text: `${word} ${words[i + 1] ?? ""}` }, "a check sends no body");
      i++;
    }
  }
}

/** What a result is called and how it is told: not what is good. Each has a value. */
const TOLD = /^(?:comment|min-recv|(?:ok|error|tout)-status|on-(?:success|error)|status-code)$/u;

function readExpect(given: readonly string[], { http, line, draft }: HttpReading): void {
  let from = 0;
  while (TOLD.test(given[from] ?? "")) from += 2;
  const inverted = given[from] === "!";
  const [kind = "", ...rest] = given.slice(inverted ? from + 1 : from);
  const value = rest.join(" ");
  const expect = (key: string, wanted: unknown): void => {
    if ((key === "status" ? http[key] : ofBody(http)) === undefined) http[key] = wanted;
    else draft.lost(line.at, "a check expects one thing of a kind: the first");
  };
  const unread = (): void => {
    draft.lost(line.at, "the expression is not one that checks read");
  };
  if (kind === "status" || kind === "rstatus") {
    const isMeant = kind === "status" ? oneOf(value) : matching(value);
    if (isMeant === undefined) return unread();
    const codes = statusesOf((code) => isMeant(code) !== inverted);
    if (codes === undefined) draft.lost(line.at, "write the codes as ranges");
    else expect("status", codes.length === 1 ? codes[0] : codes);
  } else if (kind === "string") {
    if (inverted) expect("not_matches", literal(value));
    else expect("contains", value);
  } else if (kind === "rstring") {
    const expression = ecmascript(value);
    if (expression === undefined) return unread();
    expect(inverted ? "not_matches" : "matches", expression);
  } else draft.lost(line.at, "checks expect no such thing; see checks.NAME.http");
}

/** A check looks at the body in one way. */
function ofBody(http: Data): unknown {
  return http["contains"] ?? http["matches"] ?? http["not_matches"];
}

type IsMeant = (code: number) => boolean;

/** `200,404`, `200-299`. */
function oneOf(list: string): IsMeant {
  const ranges = list.split(",").map((text) => text.split("-").map(Number));
  return (code) => ranges.some(([first = 0, last = first]) => code >= first && code <= last);
}

/** `(2|3)[0-9][0-9]`, `^2..`. */
function matching(pattern: string): IsMeant | undefined {
  const expression = ecmascript(pattern);
  if (expression === undefined) return undefined;
  const regex = new RegExp(expression, "u");
  return (code) => regex.test(`${code}`);
}

/** As ranges. Undefined: too many, or none. */
function statusesOf(isGood: IsMeant): (string | number)[] | undefined {
  const ranges: (string | number)[] = [];
  let start: number | undefined;
  for (let code = 100; code <= 600; code++) {
    if (code < 600 && isGood(code)) start ??= code;
    else if (start !== undefined) {
      ranges.push(start === code - 1 ? start : `${start}-${code - 1}`);
      start = undefined;
    }
  }
  return ranges.length === 0 || ranges.length > 20 ? undefined : ranges;
}

function readConnect(
  words: readonly string[],
  line: Line,
  { protocol, draft }: { protocol: { port?: number; tls?: boolean }; draft: Draft },
): void {
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "port") {
      const port = numberOf(words[++i]);
      if (port !== undefined) protocol.port = port;
    } else if (word === "ssl") protocol.tls = true;
    else if (word !== "default") {
      draft.lost({ ...line.at, text: word }, "a check connects as it is told by checks.NAME.tls");
    }
  }
}

/** HAProxy asks an agent beside the check, and does without one that is silent. Undefined: there is none. */
export function agentData({ options, line }: Server, draft: Draft): Data | undefined {
  if (!options.has("agent-check")) return undefined;
  const port = numberOf(options.value("agent-port"));
  if (port === undefined) {
    draft.lost({ ...line.at, text: "agent-check" }, "an agent has a port of its own: agent-port");
    return undefined;
  }
  const send = options.value("agent-send");
  const every = timeMs(options.value("agent-inter"));
  return {
    agent: { send, required: false },
    every: duration(every),
    // As there: one word is enough.
    rise: 1,
    fall: 1,
    address: options.value("agent-addr"),
    port,
  };
}

/** HAProxy's default of `inter`, and ours of `every`. */
const INTER_MS = 2000;

/** Undefined: the server is not checked. */
export function checkData(
  server: Server,
  protocol: Protocol,
  { timeoutMs, facts }: { readonly timeoutMs: number | undefined; readonly facts: ServerFacts },
): Data | undefined {
  const { options } = server;
  if (!options.has("check")) return undefined;
  const inter = timeMs(options.value("inter"));
  const every = inter ?? INTER_MS;
  const hasOwnPort = options.has("port") || options.has("addr") || protocol.port !== undefined;
  const isTls =
    options.has("check-ssl") || protocol.tls === true || (options.has("ssl") && !hasOwnPort);
  const ca = options.value("ca-file");
  const name =
    options.value("check-sni") ??
    options.value("verifyhost") ??
    /^str\((.*)\)$/u.exec(options.value("sni") ?? "")?.[1];
  const isUnverified = !isVerified(options, facts) || protocol.tls === true;
  const tls = {
    verify: isUnverified ? false : undefined,
    ca: ca === undefined || ca.startsWith("@") ? undefined : inside(facts.caBase, ca),
    server_name: name,
  };
  const asked =
    protocol.http === undefined ? protocol.other : { [isTls ? "https" : "http"]: protocol.http };
  const hasTls = isTls && Object.values(tls).some((value) => value !== undefined);
  return {
    ...asked,
    every: duration(inter),
    // A server in transition is asked as often as any other there, unless it is told how often.
    fast_every: duration(timeMs(options.value("fastinter")) ?? every),
    down_every: duration(timeMs(options.value("downinter"))),
    timeout: duration(timeoutMs ?? every),
    rise: numberOf(options.value("rise")),
    fall: numberOf(options.value("fall")),
    address: options.value("addr"),
    port: numberOf(options.value("port")) ?? protocol.port,
    tls: hasTls ? tls : isTls && protocol.http === undefined ? true : undefined,
  };
}
