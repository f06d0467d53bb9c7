/** `services` and `ledger`: what users should get, and how it is accounted for. */

import type { Static } from "typebox";
import { command } from "./keyword-schema.ts";
import {
  block,
  duration,
  flag,
  integer,
  kind,
  list,
  named,
  number,
  oneOrMore,
  optional,
  secret,
  section,
  short,
  special,
  text,
} from "./words.ts";

const layer = (what: string) =>
  optional(
    block(`What ${what} may do to availability by itself.`, {
      availability: number("Percent of time.", 50, 99.9999999),
      rto: optional(duration("Longest time without service.", { min: "1ms" })),
    }),
  );

const objectives = {
  critical: flag("The core of the site: its failures are graver.", { default: true }),
  availability: number("Percent of time and of requests that must be good.", 50, 99.9999999, {
    default: 99.9,
    examples: [99.95],
  }),
  window: duration("Over how long; ends now.", { default: "30d", min: "1d", max: "366d" }),
  latency: optional(
    block("How fast answers are.", {
      below: duration("A good answer takes no longer.", { min: "1ms", max: "10m" }),
      share: number("Percent of the answers that must keep it.", 50, 99.9999, { default: 99 }),
    }),
  ),
  rto: optional(
    duration("Longest time without service in one incident.", { min: "1ms", examples: ["30s"] }),
  ),
  rpo: optional(duration("Longest span of acknowledged work that may be lost.")),
};

const serviceSchema = block("One service as its users see it, and what it should give them.", {
  frontends: optional(
    oneOrMore("What clients of it connect to.", kind("name", "Of frontends."), {}),
  ),
  addresses: optional(
    oneOrMore("Addresses that it comes from.", kind("name", "Of addresses, or an instance."), {}),
  ),
  probes: oneOrMore("Whose measurements count; empty: of all that name it.", text("Name."), {
    default: [],
  }),
  ...objectives,
  layers: section("What each layer may cost of it.", {
    address: layer("the addresses"),
    balancer: layer("the balancer"),
    server: layer("the servers"),
  }),
  owners: named("Who answers for it: percent by name, 100 in all.", number("Percent.", 0, 100)),
  min_events: integer("Alerts judge a window that holds so many requests.", 1, 1_000_000_000, {
    default: 100,
  }),
});

export const servicesSchema = named(
  "Services with their objectives. Default: one for each frontend, else for each address.",
  serviceSchema,
);

const webhook = short(
  block("Gets each alert as JSON by POST.", {
    url: kind("url", "Where."),
    secret: optional(
      secret("Signs the body: header Nines-Signature, `sha256=` and HMAC-SHA256 in hexadecimal."),
    ),
  }),
  [text("The URL.")],
  (value) => (typeof value === "string" ? { url: value } : value),
);

const maintenance = block("A time that was planned: left out of availability and scores.", {
  from: special<number>("time", "Begin.", { examples: ["2026-11-22T02:00:00+01:00"] }),
  to: special<number>("time", "End."),
  services: oneOrMore("Of which services; empty: all.", kind("name", "Of services."), {
    default: [],
  }),
  reason: text("Why, for the report.", { default: "planned maintenance" }),
});

export const ledgerSchema = section("How incidents are counted and who is told.", {
  classes: section("Weight of a minute by class: the fault score is minutes times weight.", {
    accident: number("The site is down.", 0, 1_000_000, { default: 100 }),
    A: number("Slow, or a core function is down for many.", 0, 1_000_000, { default: 20 }),
    B: number("A side function is down, or the core for few.", 0, 1_000_000, { default: 5 }),
    C: number("Anything else.", 0, 1_000_000, { default: 1 }),
  }),
  merge: duration("Harm that comes again within this is the same incident.", {
    default: "5m",
    min: "10s",
    max: "1d",
  }),
  false_start: duration("What is over sooner and hurt nobody is no incident.", {
    default: "5s",
    max: "10m",
  }),
  timezone: text("Of months and times in reports (IANA name).", {
    default: "UTC",
    examples: ["Europe/Berlin", "Asia/Shanghai"],
  }),
  maintenance: list("Planned times.", maintenance, { default: [] }),
  alerts: section("Who is told of burn rates and incidents.", {
    mail: flag("By mail, where a mail server and recipients are configured.", { default: true }),
    webhooks: oneOrMore("By HTTP.", webhook, { default: [] }),
    commands: list("By programs; the alert is JSON in NINES_ALERT.", command("A command."), {
      default: [],
      single: true,
    }),
  }),
});

export type ServicesDocument = Static<typeof servicesSchema>;
export type LedgerDocument = Static<typeof ledgerSchema>;
