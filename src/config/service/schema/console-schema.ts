/** `console` and `journal`: what sees and remembers the service. */

import type { Bind } from "../../../core/proxy/frontend-settings.ts";
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
} from "./words.ts";

const tls = block("The page by HTTPS. Files are read again when they change.", {
  certificate: file("PEM file; may hold the chain."),
  key: optional(file("PEM file.", { otherwise: "certificate" })),
  client_ca: optional(
    file("PEM file of authorities; whoever shows a certificate of theirs is an operator."),
  ),
});

const consoleBlock = block(
  "The process that keeps the journal and shows what happens. Nothing depends on it.",
  {
    enabled: flag("A map without it switches it on.", { default: true }),
    listen: oneOrMore(
      "Where the page is; besides, it is always at RUNDIR/console.sock. Beyond this machine: with `tls` only.",
      special<Bind>("bind", ":PORT or ADDRESS:PORT"),
      { default: ["127.0.0.1:7600"] },
    ),
    tls: optional(tls),
    tokens_file: optional(
      file("What `nines token create` writes; for its owner only.", {
        otherwise: "tokens.json in the state directory",
      }),
    ),
    allowed_hosts: oneOrMore(
      "Names by which browsers may call the page besides localhost, the nodes and the addresses in `listen`.",
      kind("host", "Without port."),
      { default: [] },
    ),
    anonymous: choice(
      "Who may read without a token: everybody on this machine, or nobody.",
      ["loopback", "nobody"],
      { default: "loopback" },
    ),
    drills_from: choice(
      "Who may ask for drills on this node from afar: the other nodes of the group, or nobody.",
      ["nodes", "nobody"],
      { default: "nodes" },
    ),
    group_port: integer(
      "Where the consoles of `nodes` talk to each other (mutual TLS).",
      1,
      65535,
      {
        default: 7601,
      },
    ),
  },
);

export const consoleSchema = Object.assign(
  short(
    consoleBlock,
    [flag("On with the defaults below, or off."), choice("The same.", ["on", "off"])],
    (value) => {
      if (value === true || value === "on") return {};
      return value === false || value === "off" ? { enabled: false } : value;
    },
  ),
  { default: {} },
);

export const journalSchema = section(
  "What is remembered; at each bound the oldest goes. In STATEDIR/journal.db.",
  {
    age: duration("How long.", { default: "400d", min: "1h", max: "3660d" }),
    size: size("How large the file may become.", 2 ** 40, { default: "2GB", min: 1_000_000 }),
    records: integer("How many.", 1000, 1_000_000_000, { default: 20_000_000 }),
  },
);
