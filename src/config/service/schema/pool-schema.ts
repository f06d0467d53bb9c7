/** `pools`: servers that do the same, how one is picked and how a pool fails well. */

import type { Static } from "typebox";
import type { HashKey, ServerEndpoint } from "../../../core/balance/pool-settings.ts";
import { checksOrNames } from "./check-schema.ts";
import { command } from "./keyword-schema.ts";
import {
  block,
  choice,
  content,
  duration,
  file,
  flag,
  integer,
  kind,
  list,
  namedList,
  number,
  optional,
  secret,
  section,
  short,
  size,
  special,
  switchable,
  switchWord,
  text,
} from "./words.ts";

/** `10.0.0.1:8080 weight=2 backup`: the first word is the address, the others are keys. */
function serverOf(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const [address, ...words] = value.trim().split(/\s+/u);
  const options = words.map((word): [string, unknown] => {
    const [key = "", ...rest] = word.split("=");
    if (rest.length === 0) return [key === "max" ? "max_connections" : key, true];
    const given = rest.join("=");
    if (key === "check" && given.includes(",")) return [key, given.split(",")];
    const isNumber = /^\d+$/u.test(given);
    return [key === "max" ? "max_connections" : key, isNumber ? Number(given) : given];
  });
  return { address, ...Object.fromEntries(options) };
}

const server = short(
  block("One server.", {
    name: optional(
      kind("name", "Stickiness and commands go by it.", { otherwise: "the address as written" }),
    ),
    address: special<ServerEndpoint>(
      "endpoint",
      "Where it listens; without port 80, or 443 with tls. Names are resolved again and again.",
    ),
    weight: integer("Share of the work; 0: only requests that stick to it.", 0, 256, {
      default: 1,
    }),
    tier: optional(
      integer("Used when all lower tiers have no usable server.", 0, 100, { otherwise: "0" }),
    ),
    backup: flag("The same as tier: 1.", { default: false }),
    max_connections: integer(
      "Requests at the same time, shared out among workers (rounded up); 0: no limit.",
      0,
      1_000_000,
      {
        default: 0,
        source: "HAProxy's maxconn",
      },
    ),
    check: optional({ ...checksOrNames, otherwise: "the pool's" }),
    notify_up: optional(command("Run when its checks find it well again.")),
    notify_down: optional(command("Run when its checks find it down.")),
    smtp_alert: optional(
      flag("Mail when its checks find it down or well again.", { otherwise: "the pool's" }),
    ),
    admin: choice(
      "drain: no new requests but sticky ones; maint: none, not checked.",
      ["ready", "drain", "maint"] as const,
      { default: "ready" },
    ),
  }),
  [
    text(
      "ADDRESS:PORT [weight=N] [tier=N] [backup] [max=N] [check=NAME,…] [name=NAME] [admin=drain]",
    ),
  ],
  serverOf,
);

const ALGORITHMS = [
  "round-robin",
  "least-connections",
  "two-choices",
  "peak-ewma",
  "hash",
  "maglev",
  "first",
  "random",
] as const;

const balance = short(
  block("How a server is picked.", {
    algorithm: choice(
      "two-choices: the less busy of two random ones; peak-ewma: by latency, too; hash, maglev: the same key stays; first: fill one after the other.",
      ALGORITHMS,
      { default: "two-choices" },
    ),
    key: special<HashKey>("hashKey", "What hash and maglev go by.", { default: "source" }),
    bound: integer("hash: no server above this percent of the average load.", 101, 10_000, {
      default: 125,
      source: "Mirrokni et al., Consistent Hashing with Bounded Loads",
    }),
    table_size: integer("maglev: entries of the table, a prime.", 3, 5_000_011, {
      default: 65_537,
      source: "Eisenbud et al., Maglev, section 3.4",
    }),
    decay: duration("peak-ewma: how long a latency is remembered.", {
      default: "10s",
      min: "10ms",
    }),
  }),
  [text("The algorithm alone, or with its key: hash header:X-User.")],
  (value) => {
    if (typeof value !== "string") return value;
    const [algorithm, key, ...more] = value.trim().split(/\s+/u);
    const rest = more.length > 0 ? { [more.join(" ")]: true } : {};
    return { algorithm, ...(key === undefined ? {} : { key }), ...rest };
  },
);

const sticky = short(
  block("A client goes back to its server: exactly one of these.", {
    cookie: optional(
      block("The server is kept in a signed cookie.", {
        name: kind("token", "Name of the cookie.", { default: "nines" }),
        mode: choice(
          "insert: a cookie of ours; prefix: before the application's value; rewrite: instead of it.",
          ["insert", "prefix", "rewrite"],
          { default: "insert", source: "HAProxy's cookie" },
        ),
        secret: secret("Signs the value; the same on all directors, 16 bytes or more."),
        max_age: duration("Lifetime in the browser; 0: until it is closed.", {
          default: "0",
          max: "3650d",
        }),
        max_idle: duration("Ends when unused for that long; 0: never.", { default: "0" }),
        secure: optional(
          flag("Sent over TLS only.", { otherwise: "true when all its frontends have TLS" }),
        ),
        same_site: choice("SameSite of the cookie.", ["lax", "strict", "none"], {
          default: "lax",
        }),
      }),
    ),
    table: optional(
      block("The server is kept in memory; survives reloads.", {
        key: special<HashKey>("hashKey", "What a client is known by.", { default: "source" }),
        size: integer("Entries; the least recently used goes first.", 1, 10_000_000, {
          default: 100_000,
        }),
        ttl: duration("Ends when unused for that long.", { default: "30m", min: "1s" }),
      }),
    ),
  }),
  [text("Key of a table: source, header:NAME, cookie:NAME …")],
  (value) => (typeof value === "string" ? { table: { key: value } } : value),
);

const outlier = switchable(
  section("Servers whose real answers are bad are taken out for a while.", {
    enabled: flag("Off: only checks take servers out.", { default: true }),
    consecutive_errors: integer(
      "Failed connections, resets, time-outs and 5xx in a row.",
      1,
      1000,
      {
        default: 5,
        source: "Envoy, outlier detection",
      },
    ),
    interval: duration("How often success rates are looked at.", { default: "10s", min: "100ms" }),
    base_ejection: duration("First time out; the n-th lasts n times as long.", {
      default: "30s",
      min: "100ms",
    }),
    max_ejection: duration("Longest time out.", { default: "300s", min: "100ms" }),
    max_ejected: integer("Percent of servers out at once; one may always go.", 0, 100, {
      default: 10,
    }),
    success_rate_factor: integer(
      "Out when below mean - factor/1000 x standard deviation; 0: not looked at.",
      0,
      10_000,
      { default: 1900 },
    ),
    success_rate_minimum_hosts: integer("Fewer servers: rates are not judged.", 1, 1000, {
      default: 5,
    }),
    success_rate_minimum_requests: integer("Fewer requests: a rate is not judged.", 1, 1_000_000, {
      default: 100,
    }),
  }),
  { enabled: false },
);

const retry = short(
  section("A request that failed is tried on another server if that is safe.", {
    attempts: integer("Further tries; 0: none.", 0, 10, { default: 2 }),
    budget: integer("Percent of requests that retries may be.", 0, 100, {
      default: 20,
      source: "Finagle, RetryBudget",
    }),
    budget_minimum: number("... but so many a second always.", 0, 100_000, { default: 10 }),
    on_status: list(
      "Answers that count as failed for idempotent requests.",
      integer("A status.", 400, 599),
      { default: [503], single: true },
    ),
    buffer: size("A request body kept for a retry.", 16 * 1024 ** 2, { default: "64KiB" }),
  }),
  [integer("Further tries.", 0, 10)],
  (value) => (typeof value === "number" ? { attempts: value } : value),
);

const queue = section("Requests that wait for a place when all servers are at max_connections.", {
  limit: integer("Waiting requests; 0: refuse at once.", 0, 1_000_000, { default: 1024 }),
  timeout: duration("Longest wait.", { default: "5s", min: "1ms" }),
});

const slowStart = short(
  section("A server that comes back gets its share step by step.", {
    window: duration("How long that takes; 0: off.", { default: "30s" }),
    aggression: number("Exponent 1/aggression of the ramp; 1: linear.", 0.1, 100, {
      default: 1,
      source: "Envoy, slow start mode",
    }),
    minimum: integer("Percent of the weight at the start.", 0, 100, { default: 10 }),
  }),
  [text("The window."), flag("false: off.")],
  (value) => {
    if (switchWord(value) === false) return { window: "0" };
    // A bare number is a time that lacks its unit, and is told so.
    const isTime = typeof value === "string" || typeof value === "number";
    return isTime ? { window: String(value) } : value;
  },
);

const timeouts = section("How long a server is waited for.", {
  connect: duration("Until the connection stands.", { default: "3s", min: "1ms" }),
  response: duration("From the request's end to the first byte of the answer.", {
    default: "60s",
    min: "1ms",
  }),
  idle: duration("Silence in the middle of an answer.", { default: "60s", min: "1ms" }),
  tunnel: duration("Silence of an upgraded connection (WebSocket).", {
    default: "1h",
    min: "1ms",
  }),
  keep_alive: duration("An unused kept connection is closed; below what servers do.", {
    default: "4s",
  }),
});

const tlsOfPool = switchable(
  block("TLS to the servers.", {
    verify: flag("The certificate must be valid for the name.", { default: true }),
    ca: optional(file("PEM file of the authorities.", { otherwise: "the system's" })),
    server_name: optional(
      kind("host", "Name sent (SNI) and verified.", { otherwise: "the server's" }),
    ),
    certificate: optional(file("PEM file of our own certificate.")),
    key: optional(file("PEM file of its key.")),
  }),
);

const sorry = short(
  block("Answered when no server can.", {
    status: integer("Status of the answer.", 200, 599, { default: 503 }),
    body: content("The page."),
    type: kind("field", "Its Content-Type.", { default: "text/html; charset=utf-8" }),
  }),
  [text("The page.")],
  (value) => (typeof value === "string" ? { body: value } : value),
);

const MAIL_DEFAULT = { otherwise: "smtp_alert_checker of global", source: "keepalived" };

export const poolSchema = block("Servers that do the same.", {
  servers: namedList("The servers.", server),
  check: optional(checksOrNames),
  balance: Object.assign({}, balance, { default: {} }),
  sticky: optional(sticky),
  outlier,
  retry,
  queue,
  slow_start: slowStart,
  timeouts,
  panic: integer("Fewer usable servers than this percent: use all but maint. 0: never.", 0, 100, {
    default: 0,
    source: "Envoy, panic threshold",
  }),
  quorum: optional(
    short(
      block("Weight that the first tier must have; with less a later tier serves, if one can.", {
        weight: integer("Sum of the weights of its healthy servers.", 1, 1_000_000),
        hysteresis: integer(
          "Lost below weight - hysteresis, regained at weight + hysteresis.",
          0,
          1_000_000,
          { default: 0, source: "keepalived's hysteresis" },
        ),
        up: optional(command("Run when the weight is enough (again), at the start too.")),
        down: optional(command("Run when it is not enough any more.")),
        smtp_alert: optional(
          flag("Mail when it is enough (again), or not any more.", MAIL_DEFAULT),
        ),
      }),
      [integer("The weight.", 1, 1_000_000)],
      (value) => (typeof value === "number" ? { weight: value } : value),
    ),
  ),
  smtp_alert: optional(
    flag("Mail when checks find one of its servers down or well again.", MAIL_DEFAULT),
  ),
  notify_at_end: flag("notify_down and quorum.down are run when the node ends, too.", {
    default: false,
    source: "keepalived's omega",
  }),
  drain_deadline: duration("What a draining server's last requests get.", { default: "5m" }),
  kill_on_down: flag("A server that goes down loses its connections at once.", {
    default: true,
    source: "HAProxy's on-marked-down shutdown-sessions",
  }),
  max_idle_per_server: integer("Kept idle connections per server and worker.", 0, 65_536, {
    default: 64,
  }),
  send_proxy: choice(
    "PROXY header to the servers, also of checks without `port` and `address`.",
    ["off", "v1", "v2"],
    { default: "off" },
  ),
  tls: optional(tlsOfPool),
  sorry: optional(sorry),
});

export type PoolDocument = Static<typeof poolSchema>;
export type ServerDocument = Static<typeof server>;
export type StickyDocument = Static<typeof sticky>;
