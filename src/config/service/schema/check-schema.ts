/** `checks`: how a server, or anything else with an address, is asked whether it is well. */

import type { Static, TSchema } from "typebox";
import { DNS_TYPES } from "../../../core/check/datagram-probes.ts";
import type { StatusRange } from "../../../core/check/check-settings.ts";
import { argv } from "./keyword-schema.ts";
import {
  block,
  choice,
  content,
  duration,
  fields,
  file,
  flag,
  hex,
  integer,
  kind,
  list,
  oneOrMore,
  optional,
  secret,
  short,
  size,
  special,
  switchable,
  text,
} from "./words.ts";

const http = short(
  block("An HTTP request and the answer that is good.", {
    path: kind("path", "What is asked for.", { default: "/" }),
    method: kind("token", "Method of the request.", { default: "GET" }),
    host: optional(kind("host", "Host header.", { otherwise: "the address" })),
    headers: optional(fields("Further headers.", kind("field", "Value of the header."))),
    status: oneOrMore(
      "Codes that are good.",
      special<StatusRange>("status", "A code or a range of codes."),
      { default: ["200-399"] },
    ),
    contains: optional(content("Text that the body must contain.")),
    matches: optional(kind("regex", "Expression that must be found in the body.")),
    not_matches: optional(kind("regex", "Expression that must not be found in the body.")),
    in_head: flag("matches and not_matches look through the head of the answer, too.", {
      default: false,
      source: "keepalived's regex",
    }),
    md5: optional(hex("MD5 of the whole body.")),
    sha256: optional(hex("SHA-256 of the whole body.")),
    whole_body: flag("The body has to come to its end, or to max_body, whatever is in it.", {
      default: false,
      source: "keepalived.conf(5), HTTP_GET",
    }),
    max_body: size("Bytes of the body that are looked at.", 16 * 1024 ** 2, { default: "64KiB" }),
  }),
  [kind("path", "Path of a GET request.")],
  (value) => (typeof value === "string" ? { path: value } : value === true ? {} : value),
);

const database = block(
  "A database answers. Without a user, that it refuses a stranger in order is good.",
  {
    user: optional(text("Who logs in.")),
    password: optional(secret("Password of the user.")),
    database: optional(text("Database that is entered.")),
    role: choice(
      "primary: must accept writes; replica: must not, and its lag must be known.",
      ["any", "primary", "replica"],
      { default: "any" },
    ),
    max_lag: duration("A replica further behind is bad; 0: not looked at.", { default: "0" }),
  },
);

const redis = switchable(
  block("PING; with a role also ROLE and INFO replication.", {
    user: optional(text("Name for AUTH (ACL).")),
    password: optional(secret("Password for AUTH.")),
    role: choice("What it has to be.", ["any", "primary", "replica"], { default: "any" }),
    max_lag: duration("A replica further behind is bad; 0: not looked at.", { default: "0" }),
  }),
);

const udp = switchable(
  block("A datagram.", {
    payload: hex("Bytes that are sent.", { default: "" }),
    require_reply: flag("Without it, only a closed port is bad.", { default: false }),
    reply: optional(hex("First bytes that the reply must have.")),
    mask: optional(hex("Bits of reply that are compared.", { otherwise: "all" })),
  }),
);

const script = short(
  block(
    "A command, run without a shell. Exit 0 is good, any other code is bad. The environment names the server: NINES_ADDRESS, NINES_PORT, NINES_SERVER, NINES_CHECK.",
    {
      command: argv("The command and its arguments."),
      dynamic: flag(
        "Codes 2-255 are good too and set the weight to code - 2 percent; 0 leaves it as it is.",
        {
          default: false,
          source: "keepalived.conf(5), MISC_CHECK",
        },
      ),
      user: optional(text("Who it runs as.", { otherwise: "script_user of global" })),
      group: optional(text("With which group.", { otherwise: "that of the user" })),
    },
  ),
  [
    text("The command, split at spaces; 'single quotes' keep one."),
    list("Command and arguments.", text("A word.")),
  ],
  (value) => (Array.isArray(value) || typeof value === "string" ? { command: value } : value),
);

export const tlsOfCheck = switchable(
  block("TLS of the check.", {
    server_name: optional(kind("host", "Name sent (SNI) and verified.", { otherwise: "the host" })),
    verify: flag("The certificate must be valid for the name.", { default: true }),
    ca: optional(file("PEM file of the authorities.", { otherwise: "the system's" })),
    certificate: optional(file("PEM file of our own certificate.")),
    key: optional(file("PEM file of its key.", { otherwise: "the certificate's file" })),
    key_password: optional(secret("Password of the key.")),
    expiry_warning: duration("Warn when the certificate ends sooner; never a failure.", {
      default: "14d",
      max: "3650d",
    }),
  }),
);

const question = short(
  block("A question over UDP.", {
    name: text("Name that is asked for."),
    type: choice("Type of the record.", DNS_TYPES, { default: "A" }),
  }),
  [text("Name that is asked for, type A.")],
  (value) => (typeof value === "string" ? { name: value } : value),
);

/** What a check asks: exactly one of these keys. */
const protocols = {
  http: optional(http),
  https: optional(http),
  tcp: optional(switchable(block("A connection can be made.", {}))),
  ping: optional(switchable(block("ICMP echo.", {}))),
  udp: optional(udp),
  grpc: optional(
    short(
      block("grpc.health.v1.Health/Check.", {
        service: text("Service that is asked about; empty: the server as a whole.", {
          default: "",
        }),
      }),
      [text("Service that is asked about."), flag("The server as a whole.")],
      (value) => (typeof value === "string" ? { service: value } : value === true ? {} : value),
    ),
  ),
  smtp: optional(
    switchable(
      block("A mail server greets.", {
        hello: text("Name in EHLO.", { default: "nines" }),
      }),
    ),
  ),
  dns: optional(question),
  mysql: optional(switchable(database)),
  postgresql: optional(switchable(database)),
  redis: optional(redis),
  memcached: optional(switchable(block("memcached answers to version.", {}))),
  script: optional(script),
  agent: optional(
    switchable(
      block("The server's own word: up, down, drain, maint, 75%, maxconn:30.", {
        send: text("Text that is sent first.", { default: "" }),
        required: flag(
          "Off: an agent that does not answer says nothing, as in HAProxy; what it said last holds.",
          { default: true },
        ),
      }),
    ),
  ),
};

export const PROTOCOLS = Object.keys(protocols) as readonly (keyof typeof protocols)[];

const timing = {
  every: duration("Time between two checks while all is well.", {
    default: "2s",
    min: "10ms",
    source: "HAProxy's inter, keepalived's delay_loop",
  }),
  fast_every: optional(
    duration("... while results disagree with the verdict.", {
      min: "10ms",
      otherwise: "a quarter of every",
      source: "HAProxy's fastinter",
    }),
  ),
  down_every: optional(
    duration("... while the verdict is bad.", {
      min: "10ms",
      otherwise: "every",
      source: "HAProxy's downinter",
    }),
  ),
  timeout: duration("A check that takes longer has failed.", { default: "1s", min: "1ms" }),
  rise: integer("Successes in a row that bring a server back.", 1, 1000, { default: 2 }),
  fall: integer("Failures in a row that take a server out.", 1, 1000, { default: 3 }),
  retry: integer("Further tries inside one check before it counts as failed.", 0, 1000, {
    default: 0,
    source: "keepalived.conf(5)",
  }),
  delay_before_retry: duration("Pause before such a try.", { default: "1s" }),
  warmup: optional(
    duration(
      "The first check comes within this time; first checks are spread, 20 ms apart at most.",
      { otherwise: "every" },
    ),
  ),
  log_failures: optional(
    flag("Failures that do not take a server out are told, too.", {
      otherwise: "checker_log_all_failures of global",
      source: "keepalived's log_all_failures",
    }),
  ),
  start_down: flag("Down until the first success; otherwise a server is used before it.", {
    default: false,
  }),
};

const where = {
  address: optional(
    kind("ip", "Asked instead of the server.", {
      otherwise: "the server's; 127.0.0.1 when an address tracks the check",
    }),
  ),
  port: optional(
    integer("Asked instead of the server's port.", 1, 65535, {
      otherwise: "the server's, or the usual one of the protocol",
    }),
  ),
  bind: optional(kind("ip", "Local address of the check.")),
  while_held: optional(
    oneOrMore(
      "Run only while this machine has one of these addresses; until then a server stays what it was.",
      Object.assign(kind("ip", "An address."), { source: "keepalived's ha_suspend" }),
    ),
  ),
  tls: optional(tlsOfCheck),
};

export const checkSchema = block("One check: a protocol, its timing, and where it asks.", {
  ...protocols,
  ...timing,
  ...where,
});

/** In pools and servers: the name of a check, or a check of their own. */
export const checkOrName = Object.assign(
  short(
    block("A check of its own as in checks, or the name of one.", {
      use: optional(kind("name", "Name of a check; off: none.")),
      ...protocols,
      ...timing,
      ...where,
    }),
    [kind("name", "Name of a check."), flag("false: none.")] as readonly TSchema[],
    (value) => {
      if (value === false || value === "off" || value === "none") return { use: "off" };
      return typeof value === "string" ? { use: value } : value;
    },
  ),
  { like: "checks" },
);

/** Of a server or a pool: one, or several that must all pass. */
export const checksOrNames = Object.assign(
  oneOrMore("A check or the name of one; of several all must pass.", checkOrName),
  { like: "checks" },
);

export type CheckDocument = Static<typeof checkSchema>;
export type CheckOrName = Static<typeof checkOrName>;
