/** `frontends`: what is listened on and what is asked of clients. */

import type { Static } from "typebox";
import type { Bind } from "../../../core/proxy/frontend-settings.ts";
import { routesSchema } from "./route-schema.ts";
import {
  block,
  choice,
  duration,
  file,
  flag,
  integer,
  kind,
  oneOrMore,
  optional,
  section,
  short,
  size,
  special,
  switchable,
  switchWord,
  text,
} from "./words.ts";

const listen = short(
  block("One address and port.", {
    on: special<Bind>("bind", "`:80` takes IPv4 and IPv6, `0.0.0.0:80` IPv4 only."),
    mode: optional(
      special<number>("mode", "Access rights of a Unix socket.", { otherwise: "666" }),
    ),
  }),
  [text(":PORT, ADDRESS:PORT or unix:PATH [mode=660]")],
  (value) => {
    if (typeof value === "number") return { on: `:${value}` };
    if (typeof value !== "string") return value;
    const [on, option, ...more] = value.trim().split(/\s+/u);
    if (option === undefined) return { on };
    const mode = /^mode=(.*)$/u.exec(option)?.[1];
    if (mode !== undefined && more.length === 0) return { on, mode };
    return { on, [[option, ...more].join(" ")]: true };
  },
);

const certificate = short(
  block("A certificate and its key.", {
    certificate: file("PEM file of the certificate and its chain."),
    key: optional(file("PEM file of the key.", { otherwise: "the certificate's file" })),
  }),
  [text("PEM file that holds both.")],
  (value) => (typeof value === "string" ? { certificate: value } : value),
);

const tls = short(
  block("Termination of TLS. Files are read again on reload.", {
    certificates: oneOrMore(
      "Chosen by SNI: exact name, then wildcard, else the first; of the same names with keys of two kinds (RSA, ECDSA) the one that the client can verify, over HTTP/2 the first.",
      certificate,
    ),
    minimum_version: choice("Oldest version.", ["1.2", "1.3"], { default: "1.2" }),
    http2: flag("Offer HTTP/2 (ALPN).", { default: true }),
    client_ca: optional(file("PEM file of authorities of client certificates.")),
    client_certificate: optional(
      choice("Whether clients must show one.", ["off", "optional", "required"], {
        otherwise: "required with client_ca, else off",
      }),
    ),
  }),
  [text("PEM file that holds certificate and key.")],
  (value) => (typeof value === "string" ? { certificates: [value] } : value),
);

const timeouts = section("How long a client is waited for.", {
  head: duration("A whole request head must come within.", { default: "10s", min: "1ms" }),
  body: duration("Silence inside a body, or a client that does not read.", {
    default: "30s",
    min: "1ms",
  }),
  keep_alive: duration("Between two requests of one connection.", { default: "60s", min: "1ms" }),
  handshake: duration("TLS handshake and PROXY header.", { default: "5s", min: "1ms" }),
});

const limits = section("How much a client may use.", {
  head: size("Request line and headers together.", 1024 ** 2, { default: "16KiB", min: 1024 }),
  headers: integer("Number of headers.", 1, 1000, { default: 100 }),
  body: size("A request body; 0: no limit.", 2 ** 50, { default: "0" }),
  connections: integer("Connections at once, of all workers together.", 1, 1_000_000, {
    default: 10_000,
  }),
  connections_per_source: integer(
    "... per client address, of all workers together; 0: no limit.",
    0,
    1_000_000,
    {
      default: 0,
    },
  ),
  requests_per_connection: integer("Then it is closed; 0: no limit.", 0, 1_000_000_000, {
    default: 0,
  }),
});

const shedding = Object.assign(
  switchable(
    block("Overloaded, the lowest priorities are refused first.", {
      enabled: flag("A map without it switches it on.", { default: true }),
      max_in_flight: integer(
        "Requests at once, of all workers together, that count as full load.",
        1,
        1_000_000,
        {
          default: 1000,
        },
      ),
      start: section("Percent of full load from which a priority is refused.", {
        low: integer("Priority low.", 1, 100, { default: 70 }),
        normal: integer("Priority normal.", 1, 100, { default: 85 }),
        high: integer("Priority high.", 1, 100, { default: 95 }),
      }),
      degraded_header: kind(
        "fieldName",
        "Header that tells applications to switch features off, from low's threshold on.",
        { default: "" },
      ),
    }),
    { enabled: false },
  ),
  { default: false },
);

const accessLog = Object.assign(
  short(
    block("One line for each request.", {
      format: choice("Form of a line.", ["off", "json", "combined"], { default: "json" }),
      file: file("Path; - is the log of the daemon.", { default: "-" }),
    }),
    [choice("The format.", ["off", "json", "combined"]), flag("true: json.")],
    (value) => {
      const isOn = switchWord(value);
      if (typeof isOn === "boolean") return { format: isOn ? "json" : "off" };
      return typeof value === "string" ? { format: value } : value;
    },
  ),
  { default: "off" },
);

export const frontendSchema = block("What clients connect to.", {
  listen: oneOrMore("Where.", listen),
  mode: choice(
    "http: requests, one by one; tcp: connections, carried to the pool as they come.",
    ["http", "tcp"],
    { default: "http" },
  ),
  tls: optional(tls),
  pool: optional(
    kind("name", "Where requests go that no route takes.", { otherwise: "they get 404" }),
  ),
  routes: routesSchema,
  timeouts,
  limits,
  shedding,
  access_log: accessLog,
  accept_proxy: oneOrMore(
    "A PROXY header is expected from these and over Unix sockets, and refused from all others.",
    kind("prefix", "Address or prefix."),
    { default: [] },
  ),
  trusted_proxies: oneOrMore(
    "X-Forwarded-* and Forwarded of these are kept and extended; of others replaced.",
    kind("prefix", "Address or prefix."),
    { default: [] },
  ),
  forwarded: choice(
    "How servers learn of the client: X-Forwarded-*, Forwarded (RFC 7239), both or none.",
    ["x-forwarded", "forwarded", "both", "off"],
    { default: "x-forwarded" },
  ),
  request_id: kind(
    "fieldName",
    "Header with a generated id when the client sent none; empty: off.",
    {
      default: "x-request-id",
    },
  ),
  traceparent: flag("Add a traceparent when the client sent none.", {
    default: false,
    source: "W3C Trace Context",
  }),
  health_path: kind("ownPath", "Answered by the balancer itself: 200 while it lives; empty: off.", {
    default: "",
    examples: ["/healthz"],
  }),
  ready_path: kind("ownPath", "... 200, and 503 while it drains; empty: off.", {
    default: "",
    examples: ["/readyz"],
  }),
});

export type FrontendDocument = Static<typeof frontendSchema>;
