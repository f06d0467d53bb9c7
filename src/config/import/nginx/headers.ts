/** `proxy_set_header`, `add_header` and the like. Source: nginx, ngx_http_proxy_module. */

import { addHeader, type Edits, TWO_COOKIES } from "../edits.ts";
import { serverConstants } from "./constants.ts";
import type { FrontendNotes, NginxContext } from "./context.ts";
import type { Directive } from "./parse.ts";
import type { Scope } from "./scope.ts";
import { templateOf } from "./variables.ts";

/** What Nines does by itself. */
const UPGRADES: readonly string[] = ["connection", "upgrade"];

export interface HeaderFacts {
  readonly context: NginxContext;
  readonly notes: FrontendNotes;
  readonly server: Scope;
  /** `$proxy_host`. */
  readonly proxyHost: string;
}

export function requestEdits(scope: Scope, facts: HeaderFacts): Edits {
  const { draft } = facts.context;
  const lines = scope.all("proxy_set_header");
  const set: Record<string, string> = {};
  const remove: string[] = [];
  const setsHost = lines.some(({ args }) => args[0]?.toLowerCase() === "host");
  if (!setsHost) set["Host"] = facts.proxyHost.startsWith("unix:") ? "localhost" : facts.proxyHost;
  for (const line of lines) {
    const [name = "", value = ""] = line.args;
    if (isOwn(line, facts)) continue;
    if (UPGRADES.includes(name.toLowerCase())) {
      draft.unneeded(line.at, "connections are kept, and upgrades passed on, by themselves");
    } else if (value === "") remove.push(name);
    else {
      const template = templateOf(value, constantsOf(facts));
      if (template === undefined) draft.lost(line.at, unknown(value));
      else if (name.toLowerCase() !== "host" || !AS_IT_CAME.test(value)) set[name] = template;
    }
  }
  return { remove, set };
}

function unknown(value: string): string {
  return /\$\{?http_x_forwarded_/u.test(value)
    ? "write trusted_proxies: what they say of the client is passed on"
    : "Nines does not know this value";
}

/** $host has no port. */
const AS_IT_CAME = /^\$\{?http_host\}?$/u;

function constantsOf(facts: HeaderFacts): Record<string, string> {
  return { proxy_host: facts.proxyHost, ...serverConstants(facts) };
}

const FORWARDED: Readonly<Record<string, readonly string[]>> = {
  "x-forwarded-for": ["$proxy_add_x_forwarded_for", "$remote_addr"],
  "x-forwarded-host": ["$host", "$http_host"],
  "x-forwarded-proto": ["$scheme"],
};

/** Headers that the frontend writes for all its requests. */
function isOwn({ args }: Directive, { notes }: HeaderFacts): boolean {
  const [name = "", value = ""] = args;
  if (FORWARDED[name.toLowerCase()]?.includes(value) === true) {
    notes.forwarded = true;
    return true;
  }
  if (value !== "$request_id") return false;
  notes.requestId ??= name;
  return notes.requestId === name;
}

/** They say how long an answer is kept. */
const KEPT = /^(?:cache-control|expires)$/iu;

/** Of what servers answer: the status is not looked at. */
export function passedEdits(scope: Scope, context: NginxContext): Edits {
  for (const { args, at } of scope.all("add_header")) {
    if (args[2] === "always" || !KEPT.test(args[0] ?? "")) continue;
    context.draft.lost(at, "answers with bad statuses get it, too, and are kept as long");
  }
  return answerEdits(scope, context);
}

/** Of answers: `add_header`; those with `always` only when the status is a bad one. */
export function answerEdits(scope: Scope, { draft }: NginxContext, isGood = true): Edits {
  const add: Record<string, string> = {};
  for (const line of scope.all("add_header")) {
    const [name = "", value = "", always] = line.args;
    if (!isGood && always !== "always") continue;
    const template = templateOf(value);
    if (template === undefined) draft.lost(line.at, "Nines does not know this value");
    else if (template !== "" && !addHeader(add, name, template)) draft.lost(line.at, TWO_COOKIES);
  }
  return { add };
}

export function responseEdits(scope: Scope): Edits {
  return { remove: scope.all("proxy_hide_header").map(({ args }) => args[0] ?? "") };
}
