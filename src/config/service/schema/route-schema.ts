/** Routes of a frontend: which requests, and what is done with them. */

import type { Static } from "typebox";
import type { RateLimit } from "../../../core/route/route-settings.ts";
import {
  block,
  choice,
  content,
  duration,
  fields,
  flag,
  integer,
  kind,
  namedList,
  number,
  oneOrMore,
  optional,
  section,
  short,
  special,
  text,
} from "./words.ts";

/** `/api/*` begins with, `~EXPR` matches, `*` is there at all, anything else is equal. */
function matchOf(value: unknown): unknown {
  if (typeof value === "boolean") return { present: value };
  if (typeof value !== "string") return value;
  if (value === "*") return { present: true };
  if (value.startsWith("~")) return { regex: value.slice(1).trim() };
  return value.endsWith("*") ? { prefix: value.slice(0, -1) } : { exact: value };
}

const match = short(
  block("A text is compared: exactly one of these.", {
    exact: optional(text("It is this, letter by letter.")),
    prefix: optional(text("It begins with this.")),
    regex: optional(kind("regex", "ECMAScript, found anywhere unless anchored; flag u.")),
    present: optional(flag("It is there, or is not.")),
  }),
  [text("/exact, /prefix*, ~ expression, * for anything."), flag("It is there, or is not.")],
  matchOf,
);

const canary = fields(
  "Pools and their weights; a client stays on its side.",
  integer("Weight.", 0, 1_000_000),
);

const replacement = block("A value is changed.", {
  regex: kind("regex", "What this finds in the value, of at most 4096 letters …"),
  to: kind("field", "… gets this instead; $1 is the first group of regex."),
});

const EDITS = {
  remove: oneOrMore("Headers that are taken away.", kind("token", "A header."), { default: [] }),
  replace: optional(fields("Headers whose value is changed, where they are there.", replacement)),
  set: optional(fields("Headers that get this value.", kind("template", "The value."))),
  add: optional(fields("Headers that are added to what is there.", kind("template", "The value."))),
};
const HOW =
  "Done in the order remove, replace, set, add. Values may hold ${scheme} ${host} ${path} ${query} ${search} ${uri}, ${source} (the client's address), ${request_id} and ${client_subject} (of its verified certificate; empty without one).";

const redirect = short(
  block("Answered with another address.", {
    location: kind(
      "template",
      "Where to; may hold ${scheme} ${host} ${path} ${query} ${uri}, and ${search}: ?query or nothing.",
    ),
    status: integer("301, 302, 303, 307 or 308.", 301, 308, { default: 307 }),
  }),
  [text("Where to, with status 307.")],
  (value) => (typeof value === "string" ? { location: value } : value),
);

const respond = short(
  block("Answered by the balancer itself.", {
    status: integer("Status of the answer.", 200, 599, { default: 200 }),
    body: content("Its body.", { default: "" }),
    type: kind("field", "Its Content-Type.", { default: "text/plain; charset=utf-8" }),
  }),
  [integer("A status without body.", 200, 599), text("A body with status 200.")],
  (value) => {
    if (typeof value === "number") return { status: value };
    return typeof value === "string" ? { body: value } : value;
  },
);

const rewrite = block(
  "The path is changed: prefix or regex. In a redirect, ${path} and ${uri} are the changed ones.",
  {
    prefix: optional(text("A path that begins with this …")),
    regex: optional(kind("regex", "What this finds in the path …")),
    to: text("… gets this instead; $1 is the first group of regex."),
  },
);

const rateLimit = short(
  block("More than this is refused with 429. One limit for all workers, exactly.", {
    rate: special<number>("rate", "How many in the long run."),
    burst: optional(
      integer("How many at once.", 1, 1_000_000, { otherwise: "one second's worth, at least 1" }),
    ),
    per: special<RateLimit["per"]>("rateKey", "What has a limit of its own.", {
      default: "source",
    }),
    size: integer(
      "Limits kept by a worker that has no memory in common with the others; the least recently used goes first. In common there is room for 1,048,576 of all routes.",
      1,
      10_000_000,
      { default: 100_000 },
    ),
  }),
  [text("The rate per client address, e.g. 100/s.")],
  (value) =>
    typeof value === "string" || typeof value === "number" ? { rate: String(value) } : value,
);

const percent = number("Percent of requests.", 0, 100);

const fault = block("For drills: some requests fail or wait.", {
  abort: optional(
    block("Some are answered with an error.", {
      percent,
      status: integer("Status of the answer.", 400, 599, { default: 503 }),
    }),
  ),
  delay: optional(
    block("Some wait first.", { percent, time: duration("How long.", { max: "10m" }) }),
  ),
});

const route = block("Conditions (all given ones must hold), one target, and what is changed.", {
  name: optional(
    kind("name", "For logs and explain-request.", { otherwise: "route 1, route 2 …" }),
  ),
  host: optional(
    oneOrMore("One of these hosts.", kind("host", "www.example.com or *.example.com.")),
  ),
  path: optional(
    oneOrMore(
      "One of these paths, after normalising: dot segments gone, %2F read as a slash.",
      match,
    ),
  ),
  method: optional(oneOrMore("One of these methods.", kind("token", "A method."))),
  headers: optional(fields("Headers of the request; of several fields one is enough.", match)),
  cookies: optional(fields("Cookies of the request; of several of a name one is enough.", match)),
  query: optional(
    fields("Parameters of the query; of several of a name one is enough.", match, "any"),
  ),
  source: optional(oneOrMore("One of these clients.", kind("prefix", "Address or prefix."))),
  client_certificate: optional(
    flag("Clients that have shown a verified certificate, or (false) those that have not."),
  ),
  pool: optional(kind("name", "Target: a pool.")),
  pools: optional({
    ...canary,
    description: "Target: pools by weight (canary); a client address keeps its side.",
  }),
  redirect: optional(redirect),
  respond: optional(respond),
  request_headers: section(HOW, EDITS),
  response_headers: section(`${HOW} Also of a redirect and of what is answered here.`, EDITS),
  rewrite: optional(rewrite),
  rate_limit: optional(rateLimit),
  fault: optional(fault),
  priority: choice(
    "Overloaded, the lowest are refused first.",
    ["critical", "high", "normal", "low"],
    { default: "normal" },
  ),
});

export const routesSchema = namedList("The first whose conditions all hold decides.", route);

export type RouteDocument = Static<typeof route>;
export type MatchDocument = Static<typeof match>;
