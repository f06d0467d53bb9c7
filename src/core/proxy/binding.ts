/** Which server a client is bound to: read from its request, told with the answer. */

import {
  cookieForServer,
  markedSetCookie,
  setCookieText,
  tokenOf,
} from "../balance/cookie-text.ts";
import { hashBytes, hashText } from "../balance/hash.ts";
import type { HashKey } from "../balance/pool-settings.ts";
import type { Pool } from "../balance/pool.ts";
import { sourceKey } from "../balance/source-key.ts";
import { stickKey } from "../balance/stick-table.ts";
import type { CookieWord, StickyCookie } from "../balance/sticky-cookie.ts";
import { utf8Bytes } from "../../lib/text-bytes.ts";
import type { FieldBlock } from "../http/field-block.ts";
import { fieldNumber } from "../http/field-names.ts";
import type { HeadWriter } from "../http/head-writer.ts";
import type { RequestFacts } from "../route/request-facts.ts";
import type { Exchange } from "./exchange.ts";

const COOKIE = fieldNumber("cookie");
const SET_COOKIE = fieldNumber("set-cookie");

/** Letters of a key that are shown. */
const SHOWN_KEY = 64;

const COOKIE_WORDS: Readonly<Record<CookieWord, string>> = {
  bound: "bound",
  absent: "the request has none, the answer brings one",
  malformed: "it is not one of ours",
  forged: "its signature is wrong",
  expired: "older than max_age",
  idle: "unused for longer than max_idle",
  "server-gone": "its server is gone",
};

export interface Clocks {
  readonly now: number;
  readonly wallMs: number;
}

/** Fills `exchange.pick`: the hash that the algorithm goes by, and the server bound to. */
export function findServer(exchange: Exchange, facts: RequestFacts, clocks: Clocks): void {
  const pool = exchange.dispatcher!.pool;
  const { algorithm, stickiness } = pool.settings;
  if (algorithm.kind === "hash" || algorithm.kind === "maglev") {
    exchange.pick.hash = hashOf(algorithm.key, facts);
  }
  if (pool.cookie !== undefined) readCookie(exchange, pool.cookie, facts, clocks.wallMs);
  if (stickiness.kind === "table" && pool.table !== undefined) {
    const bytes = utf8Bytes(keyText(stickiness.key, facts));
    exchange.stickKey = stickKey(bytes, 0, bytes.length);
    exchange.pick.sticky = pool.table.find(clocks.now, exchange.stickKey);
  }
}

/** The request's Cookie without what is ours. Marks the original as not to be copied. */
export function writeRequestCookies(writer: HeadWriter, facts: RequestFacts, pool: Pool): void {
  const { cookie } = pool;
  const { head } = facts;
  if (cookie === undefined || cookie.settings.mode === "rewrite" || !head.has(COOKIE)) return;
  for (let i = head.indexOf(COOKIE); i < head.count; i++) {
    if (head.numbers[i] !== COOKIE) continue;
    head.hop[i] = 1;
    const kept = cookieForServer(head.valueText(i), cookie.settings);
    if (kept !== undefined) writer.field("cookie", kept);
  }
}

/** The answer is on its way: the client learns its server, the table remembers it. */
export function bindAnswer(
  writer: HeadWriter,
  exchange: Exchange,
  head: FieldBlock,
  { now, wallMs }: Clocks,
): void {
  const { pool } = exchange.dispatcher!;
  const { server } = exchange.record;
  if (exchange.stickKey !== "") pool.table?.stick(now, exchange.stickKey, server);
  const { cookie } = pool;
  if (cookie === undefined) return;
  const { settings } = cookie;
  if (settings.mode === "insert" && !exchange.bindsCookie) return;
  const issuedAtMs = exchange.boundSinceMs === 0 ? wallMs : exchange.boundSinceMs;
  const token = cookie.value(server, wallMs, issuedAtMs);
  if (settings.mode === "insert") {
    const leftMs = settings.maxAgeMs - (wallMs - issuedAtMs);
    writer.field("set-cookie", setCookieText(settings, token, leftMs));
    return;
  }
  for (let i = Math.max(0, head.indexOf(SET_COOKIE)); i < head.count; i++) {
    if (head.numbers[i] !== SET_COOKIE) continue;
    const marked = markedSetCookie(head.valueText(i), settings, token);
    if (marked === undefined) continue;
    head.hop[i] = 1;
    writer.field("set-cookie", marked);
  }
}

function readCookie(
  exchange: Exchange,
  cookie: StickyCookie,
  { head }: RequestFacts,
  wallMs: number,
): void {
  const text = head.joined("cookie", ";");
  const token = text === undefined ? undefined : tokenOf(text, cookie.settings);
  const { server, renew, issuedAtMs } = cookie.read(token, wallMs);
  exchange.pick.sticky = server;
  exchange.bindsCookie = renew;
  exchange.boundSinceMs = issuedAtMs;
}

/** Which server the client is bound to, and how that is known. */
export interface Bound {
  readonly server: string | undefined;
  readonly text: string;
}

/** For explanations: what `findServer` would find. Counts as no use. Undefined: the pool binds nobody. */
export function boundServer(pool: Pool, facts: RequestFacts, clocks: Clocks): Bound | undefined {
  const { cookie } = pool;
  const { stickiness } = pool.settings;
  if (stickiness.kind === "table") {
    return boundByTable(pool, keyText(stickiness.key, facts), clocks.now);
  }
  if (cookie === undefined) return undefined;
  const text = facts.head.joined("cookie", ";");
  const token = text === undefined ? undefined : tokenOf(text, cookie.settings);
  const { server, why } = cookie.read(token, clocks.wallMs);
  const word = server === undefined ? COOKIE_WORDS[why] : `bound to ${server}`;
  return { server, text: `sticky cookie ${cookie.settings.name}: ${word}` };
}

export function boundByTable(pool: Pool, key: string, now: number): Bound {
  const bytes = utf8Bytes(key);
  const server = pool.table?.look(now, stickKey(bytes, 0, bytes.length));
  const word = server === undefined ? "not bound yet" : `bound to ${server}`;
  return { server, text: `sticky table: ${JSON.stringify(key.slice(0, SHOWN_KEY))} is ${word}` };
}

export function hashOf(key: HashKey, facts: RequestFacts): number {
  if (key.of !== "uri") return hashText(keyText(key, facts));
  const { head } = facts;
  return hashBytes(head.bytes, head.pathFrom, key.withQuery ? head.targetTo : head.pathTo);
}

/** Without the header, cookie or parameter the client's address stands for it. */
function keyText(key: HashKey, facts: RequestFacts): string {
  switch (key.of) {
    case "source":
      return sourceKey(key, facts.source);
    case "uri":
      return key.withQuery ? facts.uri : facts.head.pathText();
    case "header":
      return facts.head.text(key.name.toLowerCase()) ?? facts.source;
    case "cookie":
      return facts.cookies.get(key.name)?.[0] ?? facts.source;
    case "query":
      return facts.query.get(key.name)?.[0] ?? facts.source;
  }
}
